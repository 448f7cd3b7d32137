internal import CLinux
internal import Glibc
public import SystemPackage

/// A reference to a caller's eventfd, as the kernel takes one with `eventfd_ctx_fdget`.
///
/// The object owns a duplicate, so the caller may close its own. It may be signalled from any thread.
public final class EventFile: Sendable {
    /// The duplicate this object owns: lent, not given, and valid while the object lives.
    public let descriptor: FileDescriptor
    /// The kernel's number of the eventfd: equal for two descriptors of the same one.
    package let identifier: Int

    /// Takes a reference to `number`: EBADF if it is not open, EINVAL if it is no eventfd. Where no descriptor
    /// is left EMFILE, which the kernel has no need of.
    package init(callerDescriptor number: Int32) throws(Errno) {
        let copy = clinux_duplicate(number)
        guard copy >= 0 else {
            let error = Errno(rawValue: -copy)
            throw error == .badFileDescriptor ? error : SimulationFailure.note("dup of an eventfd", error)
        }
        let duplicate = FileDescriptor(rawValue: copy)
        let identifier: Int?
        do throws(Errno) {
            identifier = try Self.identifier(of: duplicate)
        } catch {
            try? duplicate.close()
            throw error
        }
        guard let identifier else {
            try? duplicate.close()
            throw .invalidArgument
        }
        descriptor = duplicate
        self.identifier = identifier
    }

    /// Makes an eventfd of the kernel's own.
    package convenience init() throws(Errno) {
        let number = clinux_eventfd(0)
        guard number >= 0 else { throw Errno(rawValue: -number) }
        defer { try? FileDescriptor(rawValue: number).close() }
        try self.init(callerDescriptor: number)
    }

    deinit { try? descriptor.close() }

    /// Waits until it is signalled, or `milliseconds` are over, and takes the whole counter.
    ///
    /// Who waits looks at what it waits for whether or not it was signalled, and again and again: a wait that is refused
    /// only ends early, and a counter that could not be taken ends the next wait early.
    package func wait(milliseconds: Int32) {
        var poll = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
        _ = unsafe Glibc.poll(&poll, 1, milliseconds)
        var count: UInt64 = 0
        _ = unsafe clinux_eventfd_drain(descriptor.rawValue, &count)
    }

    /// Adds one to the counter. A kernel's signal cannot be refused: a refusal is the simulation's failure.
    public func signal() {
        let result = clinux_process_memory_signal(descriptor.rawValue)
        if result < 0 { _ = SimulationFailure.note("write to an eventfd", Errno(rawValue: -result)) }
    }

    /// The number the kernel gives an eventfd in `/proc/self/fdinfo`, or `nil` where it is something else.
    private static func identifier(of descriptor: FileDescriptor) throws(Errno) -> Int? {
        let bytes = try ProcessMappings.contents(of: FilePath("/proc/self/fdinfo/\(descriptor.rawValue)"))
        let text = String(decoding: bytes, as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("eventfd-id:") {
            return Int(line.dropFirst("eventfd-id:".count).trimmingPrefix { $0.isWhitespace })
        }
        return nil
    }
}
