internal import GuestMemory
internal import Logging
internal import VirtQueue
internal import Virtio
internal import VirtioDevice

/// What the kernel asks.
extension VDUSEService where Calls: ~Copyable {
    /// Answers every message that waits.
    package mutating func serveMessages() throws(VDUSEError) {
        while let message = try calls.nextMessage() {
            let outcome = respond(to: message.request)
            logger.debug("\(message.request): \(outcome)")
            try calls.answer(KernelAnswer(id: message.id, outcome: outcome))
        }
    }

    /// Does what is asked, and says what to answer.
    private mutating func respond(to request: KernelMessage.Request) -> KernelAnswer.Outcome {
        do throws(VDUSEError) {
            switch request {
            case .queueState(let queue): return try state(of: queue)
            case .setStatus(let status): return try setStatus(status)
            case .updateIOTLB(let range): return try update(range)
            case .unknown: return .failed
            }
        } catch {
            logger.warning("\(error)")
            return .failed
        }
    }

    /// Where a queue stands. One that its driver has disabled stops for that: the kernel tells of a disable
    /// only who asks (API version 0), and what is answered must stay true.
    private mutating func state(of index: Int) throws(VDUSEError) -> KernelAnswer.Outcome {
        guard queues.indices.contains(index) else { return .failed }
        let queue = try calls.queue(index)
        if queues[index].isStarted, !queue.isReady { stop(index, kernelIndex: queue.availIndex) }
        if queues[index].isStarted {
            return .queueState(
                queue: index, availIndex: dataPath.states(of: index..<index + 1)[0].base.availIndex)
        }
        return .queueState(queue: index, availIndex: beginning(of: index, queue))
    }

    /// Goes along with the driver's status, or refuses it.
    private mutating func setStatus(_ new: DeviceStatus) throws(VDUSEError) -> KernelAnswer.Outcome {
        logger.info("the driver sets the status \(new)")
        guard new != .reset else {
            halt()
            status = .reset
            // The kernel forgets the kicks and the rings with the reset that follows the answer (`vduse_dev_reset`).
            for index in queues.indices { queues[index].reset() }
            return .done
        }
        if new.contains(.featuresOK), !status.contains(.featuresOK) {
            let features = try calls.driverFeatures()
            guard features.isSubset(of: description.features) else {
                logger.warning(
                    "the driver wants \(features.subtracting(description.features)), which was not offered")
                return .failed
            }
        }
        try bindKicks()
        if new.contains(.driverOK), !isRunning { run() } else if !new.contains(.driverOK) { halt() }
        status = new
        return .done
    }

    /// Gives up what was mapped in `range`, and maps what is there now where queues run.
    private mutating func update(_ range: AddressRange<IOVirtualAddress>) throws(VDUSEError)
        -> KernelAnswer.Outcome
    {
        var dropped = regions.remove(touching: range)
        // Whatever becomes of the new maps: nothing in flight uses the old ones once the data path has the table.
        defer { showRegions(dropped: dropped) }
        if queues.contains(where: \.isStarted) { dropped += try refreshRegions() }
        return .done
    }
}
