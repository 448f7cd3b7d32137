internal import Glibc

/// How many descriptors a process may have.
enum DescriptorLimit {
    /// The soft RLIMIT_NOFILE.
    static var soft: UInt {
        var limit = rlimit()
        let which = __rlimit_resource_t(7)  // RLIMIT_NOFILE
        return unsafe getrlimit(which, &limit) == 0 ? UInt(limit.rlim_cur) : 1024
    }
}
