internal import Synchronization

/// The first failure of several workers, where any thread may look for it.
package final class FirstFailure: Sendable {
    private let hasFailed = Atomic<Bool>(false)
    private let first = Guarded<WorkerFailure?>(nil)

    package init() {}

    /// Notes a failure; only the first one stays.
    package func note(_ failure: WorkerFailure) {
        first.withLock { first in
            if first == nil { first = failure }
        }
        hasFailed.store(true, ordering: .releasing)
    }

    /// The failure. One load where there is none.
    package var value: WorkerFailure? {
        hasFailed.load(ordering: .acquiring) ? first.withLock { $0 } : nil
    }
}
