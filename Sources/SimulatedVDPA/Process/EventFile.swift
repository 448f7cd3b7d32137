internal import CLinux
package import LinuxHost
public import SystemPackage

/// A reference to a caller's eventfd, as the kernel takes one with `eventfd_ctx_fdget`.
///
/// The object owns a duplicate, so the caller may close its own. It may be signalled from any thread.
public final class EventFile: Sendable {
    /// The eventfd, by a descriptor of our own; whoever works with it without this object keeps it.
    package let event: SharedEventFD
    /// That descriptor: lent, not given, and valid while the object lives.
    public var descriptor: FileDescriptor { event.descriptor }
    /// The kernel's number of the eventfd: equal for two descriptors of the same one.
    package let identifier: Int

    /// Takes a reference to `number` of `process`: EBADF if it is not open, EINVAL if it is no eventfd. Where no descriptor
    /// is left EMFILE, which the kernel has no need of.
    package init(callerDescriptor number: Int32, of process: CallerProcess = .this) throws(Errno) {
        let event: SharedEventFD
        do throws(Errno) {
            event = SharedEventFD(owning: try process.duplicate(number))
        } catch {
            guard error != .badFileDescriptor else { throw error }
            throw SimulationFailure.note("dup of an eventfd", error, mayHaveEnded: process.isForeign)
        }
        guard let identifier = try Self.identifier(of: event.descriptor) else { throw .invalidArgument }
        self.event = event
        self.identifier = identifier
    }

    /// A reference to the eventfd behind a number of `process`'s; -1 is none.
    static func named(_ number: Int32, of process: CallerProcess) throws(Errno) -> EventFile? {
        number == -1 ? nil : try EventFile(callerDescriptor: number, of: process)
    }

    /// Makes an eventfd of the kernel's own.
    package init() throws(Errno) {
        let event = try SharedEventFD()
        guard let identifier = try Self.identifier(of: event.descriptor) else { throw .invalidArgument }
        self.event = event
        self.identifier = identifier
    }

    /// Waits until it is signalled, or `milliseconds` are over, and takes the whole counter.
    ///
    /// Who waits looks at what it waits for whether or not it was signalled, and again and again: a wait that is refused
    /// only ends early, and a counter that could not be taken ends the next wait early.
    package func wait(milliseconds: Int32) {
        event.event.wait(milliseconds: milliseconds)
        event.event.drain()
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
