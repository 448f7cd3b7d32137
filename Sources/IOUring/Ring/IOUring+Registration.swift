package import CIOUring
package import SystemPackage

// Registration. On the owning thread, or before `enable()` on any.
extension IOUring {
    /// Pins `buffers` in memory for fixed reads and writes, as vhost-vdpa pins guest memory.
    ///
    /// Costs 20 to 35 ms per GiB of 4 KiB pages. The memory counts against `ulimit -l` for a process without
    /// CAP_IPC_LOCK. The ring must have none registered. Each is at most 1 GiB.
    package mutating func registerBuffers(_ buffers: UnsafeBufferPointer<iovec>) throws(IOUringError) {
        let answer = unsafe io_uring_register_buffers(ring, buffers.baseAddress, UInt32(buffers.count))
        guard answer < 0 else { return }
        let bytes = unsafe buffers.reduce(into: 0) { unsafe $0 += $1.iov_len }
        let errno = Errno(rawValue: -answer)
        guard errno == .noMemory else {
            throw IOUringError(
                code: .system, errno: errno,
                context: "cannot register \(buffers.count) buffers of \(bytes) bytes")
        }
        throw IOUringError(
            code: .lockedMemory, errno: errno,
            context: "cannot pin \(bytes) bytes: raise ulimit -l to \(bytes / 1024) or more")
    }

    /// Unpins what ``registerBuffers(_:)`` pinned. Requests that use it end first.
    package mutating func unregisterBuffers() throws(IOUringError) {
        try check(unsafe io_uring_unregister_buffers(ring), "cannot unregister buffers")
    }

    /// Registers `files` as the slots 0 and on, for ``RingFile/fixed(_:)``. The ring holds its own reference, so
    /// the descriptors may be closed. -1 leaves a slot empty.
    package mutating func registerFiles(_ files: [FileDescriptor]) throws(IOUringError) {
        let numbers = files.map(\.rawValue)
        try check(
            unsafe io_uring_register_files(ring, numbers, UInt32(numbers.count)), "cannot register files")
    }

    /// Puts `file` into `slot`, `nil` empties it. Requests in flight keep the file they have.
    package mutating func updateFile(slot: Int, _ file: FileDescriptor?) throws(IOUringError) {
        var number = file?.rawValue ?? -1
        try check(
            unsafe io_uring_register_files_update(ring, UInt32(slot), &number, 1),
            "cannot set file slot \(slot)")
    }

    /// Drops every registered file once the requests that use it have ended.
    package mutating func unregisterFiles() throws(IOUringError) {
        try check(unsafe io_uring_unregister_files(ring), "cannot unregister files")
    }

    private func check(_ answer: Int32, _ context: @autoclosure () -> String) throws(IOUringError) {
        guard answer < 0 else { return }
        let errno = Errno(rawValue: -answer)
        throw IOUringError(
            code: errno == .fileExists ? .wrongThread : .system, errno: errno, context: context())
    }
}
