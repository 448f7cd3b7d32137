import CLinux
import SystemPackage

/// A shared, writable mapping of a whole memfd. Unmapped with the handle.
@safe
struct MemoryMapping: ~Copyable, Sendable {
    nonisolated(unsafe) let base: UnsafeMutableRawPointer
    let byteCount: ByteCount

    /// Maps `file` at a multiple of `alignment`, a power of two of at least a page.
    ///
    /// `reserve` makes the call fail where the pages are not there, instead of a later access.
    init(
        _ file: borrowing MemoryFile, byteCount: ByteCount, alignment: ByteCount, reserve: Bool
    ) throws(SystemCallFailure) {
        var start: UnsafeMutableRawPointer?
        try SystemCallFailure.check(
            "mmap",
            unsafe clinux_map_shared(
                file.descriptor.rawValue, byteCount.rawValue, alignment.rawValue, reserve ? 1 : 0, &start
            )
        )
        guard let start = unsafe start else { throw SystemCallFailure(call: "mmap", errno: .badAddress) }
        unsafe base = start
        self.byteCount = byteCount
    }

    deinit { _ = unsafe clinux_unmap(base, byteCount.rawValue) }
}
