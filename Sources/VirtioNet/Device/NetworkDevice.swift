package import GuestMemory
package import LinuxHost
package import VirtQueue
package import Virtio
package import VirtioDevice
package import WorkerRuntime

/// A simulated network device's data path: pairs of queues and a worker thread for each.
///
/// The methods are called on the control thread and return when the workers have done what they say.
package final class NetworkDevice: NetworkDataPath {
    let pairs: [DeviceQueuePair]
    /// The device's queues.
    package let queues: QueueMap
    /// The MTU of the wire's interface when the device was made, where it has one: a driver's buffers should have room
    /// for such frames.
    package let wireMTU: Int?
    /// Where the frames on the wire are recorded; `nil` where they are not.
    package let capture: CaptureFile?

    /// Starts a worker for each of `queuePairs`. The first serves `port`, the others one of its kind.
    ///
    /// `report` is called on a worker's thread and must not wait for anything, least of all for this device.
    ///
    /// - Throws: ``VirtioNetError/Code/portHasOneQueuePair`` where there can be no other of its kind.
    package init(
        name: String, queuePairs: Int = 1, port: consuming sending WirePort,
        report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws(VirtioNetError) {
        wireMTU = port.mtu
        capture = port.capture
        let queues = QueueMap.network(pairs: max(1, queuePairs), hasControlQueue: false)
        self.queues = queues
        var pairs: [DeviceQueuePair] = []
        for index in 1..<queues.pairs {
            let another = try Self.another(port, pair: index)
            pairs.append(
                try DeviceQueuePair(
                    name: "\(name)\(index)", pair: index, of: queues, port: another, report: report))
        }
        pairs.insert(
            try DeviceQueuePair(name: name, pair: 0, of: queues, port: port, report: report), at: 0)
        self.pairs = pairs
    }

    private static func another(
        _ port: borrowing WirePort, pair: Int
    ) throws(VirtioNetError) -> WirePort {
        do throws(PortError) {
            if let another = try port.another(pair) { return another }
        } catch {
            throw VirtioNetError(.port(error))
        }
        throw VirtioNetError(.portHasOneQueuePair)
    }

    deinit { shutdown() }

    /// Why one of the workers moves no more frames, `nil` while all of them can. Any thread; ``DataPathEvent/failed(_:)``
    /// has told it when it happened. Such a device stands still for good and can only be ended.
    package var failure: WorkerFailure? { pairs.lazy.compactMap(\.failure).first }

    /// What queue `index` has done so far. Any thread.
    package func counts(_ index: Int) -> QueueCounts { pair(of: index).counts(index) }

    /// What became of the frames of queue `index` so far. Any thread; exact once the queue is stopped.
    package func account(_ index: Int) -> FrameAccount { pair(of: index).account(index) }

    /// Returns when the workers have published what they had done before.
    package func synchronise() {
        for pair in pairs { pair.synchronise() }
    }

    /// Returns when what the workers have recorded is on its way to ``capture``. Nothing to do where there is none.
    package func flushCapture() {
        guard capture != nil else { return }
        for pair in pairs { pair.flushCapture() }
    }

    package func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        for (pair, own) in parts(of: queues) { pair.setTranslation(entries, queues: own) }
    }

    package func setRingTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        for (pair, own) in parts(of: queues) { pair.setRingTranslation(entries, queues: own) }
    }

    package func start(_ queues: [QueueSetup]) {
        for pair in pairs {
            let own = queues.filter { pair.queues.contains($0.queue) }
            if !own.isEmpty { pair.start(own) }
        }
    }

    package func stop(_ queues: Range<Int>) -> [QueueState] {
        parts(of: queues).flatMap { $0.stop($1) }
    }

    package func suspend(_ queues: Range<Int>) -> [QueueState] {
        stop(queues)
    }

    package func resume(_ queues: [QueueSetup]) {
        for pair in pairs {
            let own = queues.filter { pair.queues.contains($0.queue) }
            if !own.isEmpty { pair.resume(own) }
        }
    }

    /// Nothing is kept by a suspended pair.
    package func endSuspension(keepsKicks: Bool) {}

    package func move(_ queue: Int, to state: QueueState) -> QueueState {
        pair(of: queue).move(queue, to: state)
    }

    package func states(of queues: Range<Int>) -> [QueueState] {
        parts(of: queues).flatMap { $0.states(of: $1) }
    }

    package func bindKick(_ kick: SharedEventFD?, queue: Int) { pair(of: queue).bindKick(kick, queue: queue) }

    package func bindCall(_ call: SharedEventFD?, queue: Int) { pair(of: queue).bindCall(call, queue: queue) }

    package func kick(_ queues: Range<Int>) {
        for (pair, own) in parts(of: queues) { pair.kick(own) }
    }

    /// Returns when the workers have done everything that was asked of them and sleep, so that what they have not done
    /// by then they will not do without another kick. Not for a device under steady traffic, which never rests.
    package func settle() {
        for pair in pairs { pair.settle() }
    }

    package func shutdown() {
        for pair in pairs { pair.shutdown() }
        capture?.withdraw()
    }

    /// The pairs that serve `queues`, in their order, and which of the queues each serves.
    private func parts(of queues: Range<Int>) -> [(DeviceQueuePair, Range<Int>)] {
        pairs.map { ($0, queues.clamped(to: $0.queues)) }.filter { !$0.1.isEmpty }
    }

    private func pair(of queue: Int) -> DeviceQueuePair {
        switch queues.role(of: queue) {
        case .receive(let pair), .transmit(let pair): pairs[pair]
        case .control, .request: preconditionFailure("a network card has pairs of queues alone")
        }
    }
}
