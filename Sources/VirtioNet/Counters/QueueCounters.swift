internal import Synchronization

/// A queue's counts where another thread may read them.
///
/// The worker counts in a ``QueueCounts`` of its own and publishes it once a batch: one relaxed store for each field
/// that has changed, no locked instruction. A reader sees each field whole, but not all of them of one instant.
package final class QueueCounters: Sendable {
    private let packets = Atomic<UInt64>(0)
    private let bytes = Atomic<UInt64>(0)
    private let drops = Atomic<UInt64>(0)
    private let kicks = Atomic<UInt64>(0)
    private let calls = Atomic<UInt64>(0)
    private let errors = Atomic<UInt64>(0)
    private let faults = Atomic<UInt64>(0)
    private let published = PublishedAccount()

    package init() {}

    /// Makes `counts` and `account` what readers see. For the worker that owns the queue.
    package func publish(_ counts: borrowing QueueCounts, _ account: borrowing FrameAccount) {
        published.publish(account)
        packets.update(counts.packets)
        bytes.update(counts.bytes)
        drops.update(counts.drops)
        kicks.update(counts.kicks)
        calls.update(counts.calls)
        errors.update(counts.errors)
        faults.update(counts.faults)
    }

    /// The frames' account as last published.
    package var account: FrameAccount { published.snapshot }

    /// The counts as last published.
    package var snapshot: QueueCounts {
        var counts = QueueCounts()
        counts.packets = packets.load(ordering: .relaxed)
        counts.bytes = bytes.load(ordering: .relaxed)
        counts.drops = drops.load(ordering: .relaxed)
        counts.kicks = kicks.load(ordering: .relaxed)
        counts.calls = calls.load(ordering: .relaxed)
        counts.errors = errors.load(ordering: .relaxed)
        counts.faults = faults.load(ordering: .relaxed)
        return counts
    }
}
