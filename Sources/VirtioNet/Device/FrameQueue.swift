package import VirtQueue
package import Virtio
package import VirtioDevice

/// One queue of a network device as its worker sees it: what is served, and what became of the frames in its chains.
package struct FrameQueue: ~Copyable {
    package let role: QueueRole
    package var served: ServedQueue
    /// The frames, and the port's errors. What the served queue counts itself is not in it: ``totals`` has both.
    package var counts = QueueCounts()
    package var account = FrameAccount()
    /// Where other threads read both.
    private let counters: QueueCounters

    package init(role: QueueRole, served: consuming ServedQueue, counters: QueueCounters) {
        self.role = role
        self.served = served
        self.counters = counters
    }

    /// Ends a batch: shows the driver what was completed since `start`, and interrupts it if it asked. Returns whether
    /// anything was completed.
    ///
    /// The ring says here how many frames it gave or took, whatever the batch has counted itself.
    @discardableResult
    package mutating func finishBatch<Queue: DeviceQueue & ~Copyable>(
        of queue: inout Queue, since start: ServedQueue.BatchStart
    ) -> Bool {
        let batch = served.finishBatch(of: &queue, since: start)
        switch role {
        case .receive:
            account.left &+= batch.returned &- batch.refused
        case .transmit:
            account.entered &+= batch.taken
            account.malformed &+= batch.refused
        case .control, .request: break
        }
        return batch.returned != 0
    }

    /// All that the queue has counted.
    package var totals: QueueCounts {
        var totals = counts
        let tally = served.tally
        totals.kicks &+= tally.kicks
        totals.calls &+= tally.calls
        totals.errors &+= tally.errors
        totals.faults &+= tally.faults
        return totals
    }

    /// Makes the counts visible to other threads.
    package func publishCounts() { counters.publish(totals, account) }
}
