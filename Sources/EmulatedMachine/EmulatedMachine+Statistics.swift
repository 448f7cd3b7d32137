internal import VhostVDPA
internal import Virtio
internal import VirtioDevice
package import VirtioNet
package import WorkerRuntime

extension EmulatedMachine {
    /// Why the driver or a simulated device moves no more frames, `nil` while both can; to be looked at while a run
    /// waits. A failed device has asked for a reset too, which does not heal it: the machine can only be closed.
    package var failure: WorkerFailure? { driver.failure ?? simulation?.network.failure }

    /// Throws where a worker has failed: what was measured since then says nothing.
    package func requireWorkers() throws(MachineError) {
        if let failure { throw .network(VirtioNetError(.workerFailed(failure))) }
    }

    /// What became of the frames of every queue that carries some, queue by queue.
    ///
    /// Exact once the device is stopped and the driver synchronised (`driver.synchronise()`); before, each number is
    /// of the moment it was last published. Any moment of the machine's life, also after ``close()``.
    package func accounts() -> [QueueAccount] {
        driver.queues.frameQueues.map { queue in
            QueueAccount(
                queue: queue, role: driver.queues.role(of: queue), driver: driver.account(queue),
                device: simulation?.network.account(queue))
        }
    }

    /// What a real device's parent has counted of all queues that carry frames, in the device's life, or `nil` where it
    /// cannot be asked. Subtract an earlier reading. Takes seconds where somebody holds the kernel's netlink, else a
    /// millisecond.
    ///
    /// It answers only while features are negotiated, to who has CAP_NET_ADMIN, and only where it counts
    /// packets: Linux 6.12's vdpa_sim_net does.
    package var parentCounts: QueueCounts? {
        guard let statistics, !deviceIsGone else { return nil }
        var counts = QueueCounts()
        for pair in 0..<driver.queues.pairs {
            // Pair by pair: the kernel holds the answers to one question in a buffer of limited size.
            let vrings = driver.queues.pair(pair).map { VringIndex(rawValue: UInt32($0)) }
            guard let queues = try? statistics.read(vrings) else { return nil }
            for (queue, prefix) in zip(queues, ["rx", "tx"]) {
                guard let packets = queue.counters["\(prefix) packets"] else { return nil }
                counts.packets += packets
                counts.bytes += queue["\(prefix) bytes"]
                counts.errors += queue["\(prefix) errors"]
                counts.drops += queue["\(prefix) overruns"] + queue["\(prefix) drops"]
            }
        }
        return counts
    }

    /// What a real device's parent has counted since `earlier`, or `nil` where it cannot be asked.
    func parentCounts(since earlier: QueueCounts?) -> QueueCounts? {
        guard let earlier, var counts = parentCounts else { return nil }
        counts.packets &-= earlier.packets
        counts.bytes &-= earlier.bytes
        counts.errors &-= earlier.errors
        counts.drops &-= earlier.drops
        return counts
    }
}
