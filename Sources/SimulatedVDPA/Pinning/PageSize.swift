internal import Glibc

/// The page size of the machine, in bytes: the unit of pinning and of the doorbell mapping.
package enum PageSize {
    package static let current = Int(sysconf(Int32(_SC_PAGESIZE)))
}
