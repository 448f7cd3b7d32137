package import GuestMemory
internal import Synchronization
package import VirtQueue
package import VirtioDevice
package import WorkerRuntime

/// What the device reported of its own accord.
package final class DeviceEvents: Sendable {
    private let events = Mutex<[DataPathEvent]>([])

    package init() {}

    package func append(_ event: DataPathEvent) { events.withLock { $0.append(event) } }

    package var faults: [TranslationFault] {
        events.withLock { $0.compactMap { if case .fault(let fault, _) = $0 { fault } else { nil } } }
    }

    package var failures: [WorkerFailure] {
        events.withLock { $0.compactMap { if case .failed(let failure) = $0 { failure } else { nil } } }
    }

    package var broken: [VirtQueueError] {
        events.withLock {
            $0.compactMap { if case .queueBroken(let error, _) = $0 { error } else { nil } }
        }
    }
}
