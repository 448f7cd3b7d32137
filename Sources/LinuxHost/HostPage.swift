internal import CLinux

/// The page of this machine, the unit of every map and of pinning.
package enum HostPage {
    package static let byteCount = Int(clinux_page_size())
}
