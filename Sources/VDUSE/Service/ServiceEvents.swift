internal import LinuxHost
package import SystemPackage
package import VirtioDevice
internal import WorkerRuntime

/// What the workers of a served device report of their own accord, handed to the control thread.
package final class ServiceEvents: Sendable {
    private let events = Guarded<[DataPathEvent]>([])
    private let signal: SharedEventFD

    /// The most that wait for the control thread: a driver that breaks rules all the time does not fill memory.
    private static let limit = 64

    package init() throws(Errno) { signal = try SharedEventFD() }

    /// Readable while there are any. Lent: valid while this object lives.
    package var descriptor: FileDescriptor { signal.descriptor }

    /// Takes one. Any thread; waits for nobody.
    package func append(_ event: DataPathEvent) {
        events.withLock { events in
            if events.count < Self.limit { events.append(event) }
        }
        signal.event.signal()
    }

    /// All that have come since the last time.
    package func take() -> [DataPathEvent] {
        signal.event.drain()
        return events.withLock { events in
            defer { events = [] }
            return events
        }
    }
}
