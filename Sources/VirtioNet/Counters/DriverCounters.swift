internal import Synchronization

/// A driver's counts where another thread may read them; see ``QueueCounters``.
package final class DriverCounters: Sendable {
    private let receiveQueue = QueueCounters()
    private let transmitQueue = QueueCounters()
    private let sent = Atomic<UInt64>(0)
    private let received = Atomic<UInt64>(0)
    private let duplicated = Atomic<UInt64>(0)
    private let corrupted = Atomic<UInt64>(0)
    private let abandoned = Atomic<UInt64>(0)
    private let foreign = Atomic<UInt64>(0)
    private let reordered = Atomic<UInt64>(0)
    private let unsent = Atomic<UInt64>(0)

    package init() {}

    /// Makes the counts what readers see. For the worker that counts.
    func publish(
        receive: QueueCounts, _ receiveAccount: FrameAccount, transmit: QueueCounts,
        _ transmitAccount: FrameAccount, frames: FrameCounts
    ) {
        receiveQueue.publish(receive, receiveAccount)
        transmitQueue.publish(transmit, transmitAccount)
        // Sent first, and read last: a reader never sees more frames back than were sent.
        sent.updateReleasing(frames.sent)
        received.updateReleasing(frames.received)
        duplicated.update(frames.duplicated)
        corrupted.update(frames.corrupted)
        abandoned.update(frames.abandoned)
        foreign.update(frames.foreign)
        reordered.update(frames.reordered)
        unsent.update(frames.unsent)
    }

    /// The receive queue's counts as last published.
    package var receive: QueueCounts { receiveQueue.snapshot }

    /// The transmit queue's counts as last published.
    package var transmit: QueueCounts { transmitQueue.snapshot }

    /// The receive queue's frames as last published.
    package var receiveAccount: FrameAccount { receiveQueue.account }

    /// The transmit queue's frames as last published.
    package var transmitAccount: FrameAccount { transmitQueue.account }

    /// The generator's counts as last published.
    package var frames: FrameCounts {
        var counts = FrameCounts()
        counts.received = received.load(ordering: .acquiring)
        counts.duplicated = duplicated.load(ordering: .relaxed)
        counts.corrupted = corrupted.load(ordering: .relaxed)
        counts.abandoned = abandoned.load(ordering: .relaxed)
        counts.foreign = foreign.load(ordering: .relaxed)
        counts.reordered = reordered.load(ordering: .relaxed)
        counts.unsent = unsent.load(ordering: .relaxed)
        counts.sent = sent.load(ordering: .acquiring)
        return counts
    }
}
