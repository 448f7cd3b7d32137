internal import Glibc
package import GuestMemory
internal import VhostVDPABackend

/// What this process holds that a stop and start must give back: pinned memory and open descriptors.
package struct ProcessResources: Hashable, Sendable {
    /// VmPin of /proc/self/status: what devices have pinned for this process, or `nil` where the kernel does not say.
    package let pinned: ByteCount?
    /// Entries of /proc/self/fd, or `nil` where there is no /proc.
    package let descriptors: Int?

    /// The resources at this moment. Two files of /proc are read; any thread.
    package static func current() -> ProcessResources {
        ProcessResources(
            pinned: MapLimits.current().pinned(), descriptors: countDescriptors())
    }

    /// The listing's own descriptor and the two dots are among those listed, and are left out. A listing that ends
    /// with an error counts nothing.
    private static func countDescriptors() -> Int? {
        guard let listing = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(listing) }
        var count = 0
        errno = 0
        while unsafe readdir(listing) != nil { count += 1 }
        return errno == 0 && count >= 3 ? count - 3 : nil
    }
}
