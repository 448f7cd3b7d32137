package import VirtioNet

/// Where a run stands: what an observer is shown about once a second.
package struct RunProgress: Sendable {
    package let elapsed: Duration
    package let cycles: Int
    /// The generator's account; all zero where the guest's port is another.
    package let frames: FrameCounts
    /// The driver's queues.
    package let received: QueueCounts
    package let transmitted: QueueCounts
    package let faults: Int
}
