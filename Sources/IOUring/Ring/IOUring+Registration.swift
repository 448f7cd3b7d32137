public import CIOUring
import SystemPackage

// Registration. On the owning thread, or before `enable()` on any.
extension IOUring {
    /// Pins `buffers` in memory for fixed reads and writes, as vhost-vdpa pins guest memory.
    ///
    /// Costs 20 to 35 ms per GiB of 4 KiB pages. The memory counts against `ulimit -l` for a process without
    /// CAP_IPC_LOCK. The ring must have none registered. Each is at most 1 GiB.
    public mutating func registerBuffers(_ buffers: UnsafeBufferPointer<iovec>) throws(IOUringError) {
        let answer = unsafe io_uring_register_buffers(ring, buffers.baseAddress, UInt32(buffers.count))
        guard answer < 0 else { return }
        let bytes = unsafe buffers.reduce(into: 0) { unsafe $0 += $1.iov_len }
        throw Self.pinning(answer, bytes, "cannot register \(buffers.count) buffers of \(bytes) bytes")
    }

    /// The most buffers a ring has slots for (`IORING_MAX_REG_BUFFERS` of io_uring/rsrc.c).
    public static var bufferSlotLimit: Int { 1 << 14 }
    /// The longest buffer, in bytes (`io_buffer_validate`).
    public static var bufferByteLimit: Int { 1 << 30 }

    /// Makes `count` empty slots for buffers, at most ``bufferSlotLimit``, for ``setBuffer(slot:_:)``. The ring
    /// must have none registered.
    public mutating func registerBufferSlots(count: Int) throws(IOUringError) {
        try check(
            unsafe io_uring_register_buffers_sparse(ring, UInt32(count)),
            "cannot make \(count) slots for buffers")
    }

    /// Pins `memory`, of at most ``bufferByteLimit`` bytes, into `slot` and unpins what was there; `nil` only
    /// unpins. Cost as in ``registerBuffers(_:)``; the pages must be writable, as io_uring pins for writing.
    ///
    /// Linux before 6.4 lets go of what was there within a second, later ones at once where no request uses it.
    public mutating func setBuffer(
        slot: Int, _ memory: UnsafeMutableRawBufferPointer?
    ) throws(IOUringError) {
        let length = unsafe memory?.count ?? 0
        var vector = unsafe iovec(iov_base: memory?.baseAddress, iov_len: length)
        var tag: UInt64 = 0
        let answer = unsafe io_uring_register_buffers_update_tag(ring, UInt32(slot), &vector, &tag, 1)
        guard answer < 0 else { return }
        throw Self.pinning(answer, length, "cannot register a buffer of \(length) bytes")
    }

    private static func pinning(_ answer: Int32, _ bytes: Int, _ context: String) -> IOUringError {
        let errno = Errno(rawValue: -answer)
        guard errno == .noMemory else { return IOUringError(code: .system, errno: errno, context: context) }
        return IOUringError(
            code: .lockedMemory, errno: errno,
            context: "cannot pin \(bytes) bytes: raise ulimit -l to \(bytes / 1024) or more")
    }

    /// Unpins what ``registerBuffers(_:)`` pinned. Requests that use it end first.
    public mutating func unregisterBuffers() throws(IOUringError) {
        try check(unsafe io_uring_unregister_buffers(ring), "cannot unregister buffers")
    }

    private func check(_ answer: Int32, _ context: @autoclosure () -> String) throws(IOUringError) {
        guard answer < 0 else { return }
        let errno = Errno(rawValue: -answer)
        throw IOUringError(
            code: errno == .fileExists ? .wrongThread : .system, errno: errno, context: context())
    }
}
