internal import Glibc
package import SystemPackage
internal import WorkerRuntime

/// A pcapng file that several threads append to, whole packets at a time.
///
/// Nothing is written but batches of blocks, so that whoever reads the file meanwhile, or after the process was ended,
/// finds whole packets. A write that is refused ends the recording: the file is cut to the last whole packet, where it
/// can be cut, and what comes later is only counted.
package final class CaptureFile: Sendable {
    /// What became of the packets so far.
    package struct Outcome: Equatable, Sendable {
        /// Packets that the kernel has taken.
        package var recorded: UInt64
        /// Packets that are not in the file, since a write was refused.
        package var unrecorded: UInt64
        /// Why; `nil` while none was.
        package var failure: Errno?

        package init(recorded: UInt64 = 0, unrecorded: UInt64 = 0, failure: Errno? = nil) {
            self.recorded = recorded
            self.unrecorded = unrecorded
            self.failure = failure
        }
    }

    /// The file's name, as it was given.
    package let path: String
    private let file: FileDescriptor
    private let interfaceCount: Int
    private let state: Guarded<State>

    private struct State {
        var outcome = Outcome()
        /// Bytes of whole blocks in the file.
        var byteCount: Int64 = 0
    }

    /// Opens the file, or makes it, empties it and writes what a capture begins with: one of that name is overwritten,
    /// as `tcpdump -w` does it. A packet belongs to one of `interfaces`, by its number.
    ///
    /// - Throws: ``PortError/Code/capture`` where the file cannot be written to, or another capture writes to it: nothing
    ///   is lost of a file then that somebody else writes.
    package init(path: String, interfaces: [String]) throws(PortError) {
        self.path = path
        interfaceCount = interfaces.count
        do throws(Errno) {
            file = try Self.open(path)
        } catch {
            throw PortError.capture(path, "cannot be opened for writing", error)
        }
        let prologue =
            PcapngBlocks.sectionHeader(application: "emu")
            + interfaces.flatMap { PcapngBlocks.interface(name: $0) }
        state = Guarded(State())
        do throws(Errno) {
            try lock()
            try empty()
            let written = unsafe prologue.withUnsafeBytes { unsafe write($0) }
            if let errno = written.failure { throw errno }
        } catch {
            // Every property is set: the deinit closes the file.
            throw error == .wouldBlock
                ? PortError.capture(path, "another capture writes to this file: name another", nil)
                : PortError.capture(path, "cannot be written to", error)
        }
        state.withLock { $0.byteCount = Int64(prologue.count) }
    }

    deinit { try? file.close() }

    /// How a port's end is to record packets of interface `number`, from one thread.
    package func writer(_ number: Int) -> CaptureWriter {
        precondition((0..<interfaceCount).contains(number), "a capture has no such interface")
        return CaptureWriter(self, interface: UInt32(number))
    }

    /// What became of the packets so far, those still in a writer not counted. Any thread.
    package var outcome: Outcome { state.withLock { $0.outcome } }

    /// Appends `packets` blocks. Any thread; a system call.
    func append(_ blocks: UnsafeRawBufferPointer, packets: Int) {
        state.withLock { state in
            guard state.outcome.failure == nil else {
                state.outcome.unrecorded += UInt64(packets)
                return
            }
            let written = unsafe write(blocks)
            guard let errno = written.failure else {
                state.byteCount += Int64(blocks.count)
                state.outcome.recorded += UInt64(packets)
                return
            }
            let whole = unsafe PcapngBlocks.wholeBlocks(of: blocks, within: written.count)
            state.byteCount += Int64(whole.bytes)
            state.outcome.recorded += UInt64(whole.count)
            state.outcome.unrecorded += UInt64(packets - whole.count)
            state.outcome.failure = errno
            // What is no regular file keeps the half of a packet.
            _ = ftruncate(file.rawValue, off_t(state.byteCount))
        }
    }

    /// Writes all of `bytes`. How many were written where not, and why.
    private func write(_ bytes: UnsafeRawBufferPointer) -> (count: Int, failure: Errno?) {
        var count = 0
        while count < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[count...])
            let result = unsafe Glibc.write(file.rawValue, rest.baseAddress, rest.count)
            if result > 0 { count += result; continue }
            if result < 0, errno == EINTR { continue }
            return (count, result < 0 ? Errno(rawValue: errno) : .noSpace)
        }
        return (count, nil)
    }

    private static func open(_ path: String) throws(Errno) -> FileDescriptor {
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o644)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: descriptor)
    }

    /// Keeps other captures away, this process's own too. A file system that has no locks has none to keep.
    private func lock() throws(Errno) {
        if flock(file.rawValue, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK { throw .wouldBlock }
    }

    /// Empties a regular file; there is nothing to empty in another, such as a pipe.
    private func empty() throws(Errno) {
        if ftruncate(file.rawValue, 0) != 0, errno != EINVAL { throw Errno(rawValue: errno) }
    }
}
