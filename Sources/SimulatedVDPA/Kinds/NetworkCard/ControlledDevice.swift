package import GuestMemory
package import LinuxHost
package import VirtQueue
package import Virtio
package import VirtioDevice
package import VirtioNet
package import WorkerRuntime

/// The data path of a card with a control queue: a ``NetworkDevice`` for its pairs, and a worker for the last queue.
package final class ControlledDevice: NetworkDataPath {
    private let pairs: NetworkDevice
    private let control: RunningWorker<ControlWorker>
    private let controlCounters = QueueCounters()
    private let space: ConfigurationSpace
    package let queues: QueueMap

    /// Starts the workers. The control queue knows `commands`, of which one changes the address in `configuration`.
    ///
    /// `report` is called on a worker's thread and must not wait for anything, least of all for this device.
    package init(
        name: String, queuePairs: Int, port: consuming sending WirePort, commands: ControlCommandSet,
        configuration: ConfigurationSpace,
        report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws(VirtioNetError) {
        space = configuration
        queues = .network(pairs: queuePairs, hasControlQueue: true)
        let (index, counters) = (queues.count - 1, controlCounters)
        do throws(WorkerStartFailure<VirtioNetError>) {
            control = try RunningWorker(name: "\(name)-ctrl") { failure in
                report(.failed(failure))
            } setUp: { orders throws(VirtioNetError) in
                try ControlWorker(
                    orders: orders, commands: commands, configuration: configuration,
                    queue: FrameQueue(
                        role: .control, served: ServedQueue(index: index, report: report), counters: counters)
                )
            }
        } catch {
            throw VirtioNetError(error)
        }
        pairs = try NetworkDevice(name: name, queuePairs: queuePairs, port: port, report: report)
    }

    deinit { shutdown() }

    package var configurationSpace: ConfigurationSpace? { space }
    package var wireMTU: Int? { pairs.wireMTU }
    package var capture: CaptureFile? { pairs.capture }
    package var failure: WorkerFailure? { pairs.failure ?? control.failure }

    package func counts(_ index: Int) -> QueueCounts {
        isControl(index) ? controlCounters.snapshot : pairs.counts(index)
    }

    package func account(_ index: Int) -> FrameAccount {
        isControl(index) ? controlCounters.account : pairs.account(index)
    }

    package func synchronise() {
        pairs.synchronise()
        control.synchronise()
    }

    package func flushCapture() { pairs.flushCapture() }

    // MARK: Queues

    package func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        let own = frames(of: queues)
        if !own.isEmpty { pairs.setTranslation(entries, queues: own) }
        if hasControl(queues) { withControl { $0.replaceTable(entries) } }
    }

    package func setRingTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        let own = frames(of: queues)
        if !own.isEmpty { pairs.setRingTranslation(entries, queues: own) }
        if hasControl(queues) { withControl { $0.replaceRingTable(entries) } }
    }

    package func setFeatures(_ features: VirtioFeatures) {
        control.perform { worker in worker.hasControlQueue = features.contains(.controlQueue) }
    }

    package func start(_ queues: [QueueSetup]) {
        startControl(queues)
        pairs.start(queues.filter { !isControl($0.queue) })
    }

    package func stop(_ queues: Range<Int>) -> [QueueState] {
        pairs.stop(frames(of: queues)) + controlStates(of: queues) { $0.stop() }
    }

    package func suspend(_ queues: Range<Int>) -> [QueueState] { stop(queues) }

    package func resume(_ queues: [QueueSetup]) {
        startControl(queues)
        pairs.resume(queues.filter { !isControl($0.queue) })
    }

    package func endSuspension(keepsKicks: Bool) { pairs.endSuspension(keepsKicks: keepsKicks) }

    package func move(_ queue: Int, to state: QueueState) -> QueueState {
        guard isControl(queue) else { return pairs.move(queue, to: state) }
        return control.perform { worker in worker.queue.served.move(to: state) } ?? state
    }

    package func states(of queues: Range<Int>) -> [QueueState] {
        pairs.states(of: frames(of: queues)) + controlStates(of: queues) { $0.state }
    }

    package func bindKick(_ kick: SharedEventFD?, queue: Int) {
        guard isControl(queue) else { return pairs.bindKick(kick, queue: queue) }
        control.perform { worker in worker.loop.bind(shared: kick, signal: 0) }
    }

    package func bindCall(_ call: SharedEventFD?, queue: Int) {
        guard isControl(queue) else { return pairs.bindCall(call, queue: queue) }
        withControl { $0.bindCall(call) }
    }

    package func kick(_ queues: Range<Int>) {
        pairs.kick(frames(of: queues))
        if hasControl(queues) { withControl { $0.receiveKicks() } }
    }

    // MARK: The workers

    package func settle() {
        pairs.settle()
        control.settle()
    }

    package func shutdown() {
        pairs.shutdown()
        control.shutdown()
    }

    // MARK: Which queue is whose

    private func isControl(_ queue: Int) -> Bool { queue == queues.count - 1 }

    private func hasControl(_ range: Range<Int>) -> Bool { range.contains(queues.count - 1) }

    private func frames(of range: Range<Int>) -> Range<Int> { range.clamped(to: queues.frameQueues) }

    private func withControl(_ body: (inout ServedQueue) -> Void) {
        control.perform { worker in body(&worker.queue.served) }
    }

    private func startControl(_ setups: [QueueSetup]) {
        guard let setup = setups.first(where: { isControl($0.queue) }) else { return }
        control.perform { worker in
            worker.takeEarlierKicks()
            worker.queue.served.start(setup)
        }
    }

    /// Where the control queue stands after `answer`, if it is of `range`. Where the worker has ended it is at the
    /// beginning.
    private func controlStates(
        of range: Range<Int>, _ answer: (inout ServedQueue) -> QueueState
    ) -> [QueueState] {
        guard hasControl(range) else { return [] }
        let state = control.perform { (worker: inout ControlWorker) in answer(&worker.queue.served) }
        return [state ?? .initial(.split)]
    }
}
