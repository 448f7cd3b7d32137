import CLinux
import SystemPackage

/// A memfd of a fixed size: sealed against shrinking, growing and further seals. Closed with the handle.
///
/// The shrink seal is what lets devices and other processes map it without fear of SIGBUS.
struct MemoryFile: ~Copyable, Sendable {
    let descriptor: FileDescriptor

    private init(owning descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// Makes a file of zeroes; with `hugePages` one from the pool of 2 MiB pages.
    static func make(
        name: String, byteCount: ByteCount, hugePages: Bool
    ) throws(SystemCallFailure) -> MemoryFile {
        var flags = clinux_mfd_cloexec | clinux_mfd_allow_sealing
        if hugePages { flags |= clinux_mfd_hugetlb_2m }
        // The kernel takes at most 249 bytes of name; it only shows in /proc.
        let label = String(decoding: name.utf8.prefix(200), as: UTF8.self)
        let number = try SystemCallFailure.check("memfd_create", unsafe clinux_memfd_create(label, flags))
        let file = MemoryFile(owning: FileDescriptor(rawValue: number))
        try SystemCallFailure.check("ftruncate", clinux_set_file_size(number, byteCount.rawValue))
        try SystemCallFailure.check(
            "fcntl(F_ADD_SEALS)",
            clinux_add_seals(number, clinux_seal_shrink | clinux_seal_grow | clinux_seal_seal)
        )
        return file
    }

    deinit { try? descriptor.close() }
}
