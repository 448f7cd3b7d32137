internal import LinuxHost
package import SystemPackage
package import VirtioDevice
internal import WorkerRuntime

/// What the workers of a served device report of their own accord, handed to the control thread.
package final class ServiceEvents: Sendable {
    private struct Waiting {
        var events: [DataPathEvent] = []
        /// The first end of a worker.
        var end: DataPathEvent?
    }

    private let waiting = Guarded(Waiting())
    private let signal: SharedEventFD

    /// The most that wait for the control thread, a worker's end apart: a driver that breaks rules all the time does not
    /// fill memory, and does not hide that end either.
    package static let limit = 64

    package init() throws(Errno) { signal = try SharedEventFD() }

    /// Readable while there are any. Lent: valid while this object lives.
    package var descriptor: FileDescriptor { signal.descriptor }

    /// Takes one. Any thread; waits for nobody.
    package func append(_ event: DataPathEvent) {
        waiting.withLock { waiting in
            if case .failed = event {
                waiting.end = waiting.end ?? event
            } else if waiting.events.count < Self.limit {
                waiting.events.append(event)
            }
        }
        signal.event.signal()
    }

    /// All that have come since the last time, a worker's end last.
    package func take() -> [DataPathEvent] {
        signal.event.drain()
        let taken = waiting.withLock { waiting in
            defer { waiting = Waiting() }
            return waiting
        }
        return taken.events + [taken.end].compactMap(\.self)
    }
}
