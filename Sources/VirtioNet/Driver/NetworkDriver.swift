internal import GuestMemory
internal import SystemPackage
package import VirtQueue
package import Virtio
package import WorkerRuntime

/// A guest's virtio-net driver: pairs of queues, a thread for each, fed by a port.
///
/// The methods are called on the control thread and return when the workers have done what they say.
package final class NetworkDriver: Sendable {
    /// Kick and call of each queue.
    package let signals: [QueueSignals]
    /// What the driver has done so far, all pairs together; readable on any thread.
    package let counters: DriverTotals

    /// The driver's queues.
    package let queues: QueueMap

    /// Where the frames at the guest's port are recorded; `nil` where they are not.
    package let capture: CaptureFile?

    let pairs: [DriverQueuePair]

    /// Lays out the rings in `memory`, posts the receive buffers and starts a thread for each of `queuePairs`, which
    /// share the memory evenly. The first is fed by `port`, the others by one of its kind. Nothing is sent before
    /// ``startTraffic(limit:)``.
    ///
    /// - Throws: ``VirtioNetError/Code/portHasOneQueuePair`` where there can be no other of its kind.
    package init(
        queuePairs: Int = 1, port: consuming sending GuestPort, memory: DriverMemory,
        configuration: DriverConfiguration
    ) throws(VirtioNetError) {
        let count = max(1, queuePairs)
        capture = port.capture
        queues = .network(pairs: count, hasControlQueue: false)
        var pairs: [DriverQueuePair] = []
        for index in 1..<count {
            let another = try Self.another(port, pair: index)
            pairs.append(
                try DriverQueuePair(
                    name: "guest\(index)", port: another, memory: memory.part(index, of: count),
                    configuration: configuration))
        }
        pairs.insert(
            try DriverQueuePair(
                name: "guest", port: port, memory: memory.part(0, of: count), configuration: configuration),
            at: 0)
        self.pairs = pairs
        bufferStride = memory.bufferStride
        signals = pairs.flatMap(\.signals)
        counters = DriverTotals(pairs.map(\.counters))
    }

    /// The length of the frame buffers, which a block for ``useSecondBuffers(_:)`` must be cut into too.
    package let bufferStride: Int

    /// How many queue pairs the driver has.
    package var queuePairs: Int { queues.pairs }

    /// Why one of the workers moves no more frames, `nil` while all of them can. Any thread; to be looked at while a run
    /// waits. Such a driver stands still for good and can only be ended.
    package var failure: WorkerFailure? { pairs.lazy.compactMap(\.failure).first }

    /// What one pair has done so far.
    package func counters(ofPair index: Int) -> DriverCounters { pairs[index].counters }

    /// Where the device finds queue `index` when the driver's queues have `size` descriptors and that `format`.
    package func layout(
        _ index: Int, size: UInt16, format: RingFormat = .split
    ) throws(VirtQueueError) -> RingLayout {
        switch queues.role(of: index) {
        case .receive(let pair), .transmit(let pair):
            return try pairs[pair].layout(
                index - queues.pair(pair).lowerBound, size: size, format: format)
        case .control, .request: preconditionFailure("the driver has pairs of queues alone")
        }
    }

    /// Lets the generators send, `limit` frames at the most in all.
    package func startTraffic(limit: UInt64 = .max) {
        let (each, rest) = limit.quotientAndRemainder(dividingBy: UInt64(pairs.count))
        for (index, pair) in pairs.enumerated() {
            pair.startTraffic(limit: limit == .max ? .max : each + (UInt64(index) < rest ? 1 : 0))
        }
    }

    /// Has the generators send no more. Frames on their way still come back.
    package func stopTraffic() {
        for pair in pairs { pair.stopTraffic() }
    }

    /// Starts over with empty rings of another shape. The device must be stopped; it starts again at base zero.
    ///
    /// `abandonsInFlight` says that the device was reset while it ran, and may have dropped frames that it had
    /// taken: every generated frame newer than all that came back counts as abandoned then.
    ///
    /// - Throws: ``VirtioNetError/Code/memoryTooSmall(needed:given:)`` for queues whose buffers do not fit into
    ///   the driver's memory; the driver goes on as it is then.
    package func reinitialise(
        _ configuration: DriverConfiguration, abandonsInFlight: Bool = false
    ) throws(VirtioNetError) {
        // The pairs are alike: what one can be, the others can be as well.
        for pair in pairs { try pair.reinitialise(configuration, abandonsInFlight: abandonsInFlight) }
    }

    /// Gives up the generated frames that the device had taken and not yet brought back, where its rings go on after a
    /// reset that it was not quiet for: such a device may have dropped them. They count as abandoned, and as received
    /// should they come back after all. The device must be stopped.
    package func abandonInFlight() {
        for pair in pairs { pair.abandonInFlight() }
    }

    /// Whether the device has returned on some ring what it was not lent. Such a ring returns nothing more until
    /// ``reinitialise(_:abandonsInFlight:)``.
    package func findsBrokenRing() -> Bool { pairs.contains { $0.findsBrokenRing() } }

    /// Takes frame buffers from `buffers` from now on; those of the first block come back one by one.
    package func useSecondBuffers(_ buffers: DriverBuffers) {
        for (index, pair) in pairs.enumerated() {
            pair.useSecondBuffers(buffers.part(index, of: pairs.count))
        }
    }

    /// Takes frame buffers from the first block again; ``dropSecondBuffers()`` tells when the second is free.
    package func useFirstBuffers() {
        for pair in pairs { pair.useFirstBuffers() }
    }

    /// Gives the second block back. `false` while the device still has a buffer of it.
    package func dropSecondBuffers() -> Bool {
        pairs.reduce(true) { isFree, pair in pair.dropSecondBuffers() && isFree }
    }

    /// What became of the frames of queue `index` so far. Any thread; exact after ``synchronise()``.
    package func account(_ index: Int) -> FrameAccount {
        switch queues.role(of: index) {
        case .receive(let pair): return pairs[pair].counters.receiveAccount
        case .transmit(let pair): return pairs[pair].counters.transmitAccount
        case .control, .request: preconditionFailure("the driver has pairs of queues alone")
        }
    }

    /// Makes the workers take what the device has returned and publish their counts as they are then.
    package func synchronise() {
        for pair in pairs { pair.synchronise() }
    }

    /// Returns when what the workers have recorded is on its way to ``capture``. Nothing to do where there is none.
    package func flushCapture() {
        guard capture != nil else { return }
        for pair in pairs { pair.flushCapture() }
    }

    /// Ends the workers, and returns when their ports are closed. Every later call does nothing.
    package func shutdown() {
        for pair in pairs { pair.shutdown() }
        capture?.withdraw()
    }

    private static func another(
        _ port: borrowing GuestPort, pair: Int
    ) throws(VirtioNetError) -> GuestPort {
        do throws(PortError) {
            if let another = try port.another(pair) { return another }
        } catch {
            throw VirtioNetError(.port(error))
        }
        throw VirtioNetError(.portHasOneQueuePair)
    }

    deinit { shutdown() }
}
