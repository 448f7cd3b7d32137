internal import GuestMemory
internal import LinuxHost
internal import VirtQueue
internal import Virtio
internal import VirtioDevice
internal import WorkerRuntime

/// A queue pair of a simulated network device and the worker thread that serves it from an io_uring of its own: the
/// first queue receives, the second transmits.
///
/// Queues have the numbers they have in the device. The methods are ``DataPath``'s, for the pair's own queues; each is
/// one visit of the worker, and returns when the worker has done what it says.
final class DeviceQueuePair: Sendable {
    let worker: RunningWorker<DeviceWorker>
    private let counters = [QueueCounters(), QueueCounters()]
    /// The queues that the worker serves.
    let queues: Range<Int>

    /// Starts the worker, which serves `port` with pair `number` of `queues`, the device's.
    init(
        name: String, pair number: Int, of queues: QueueMap, port: consuming sending WirePort,
        report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws(VirtioNetError) {
        let own = queues.pair(number)
        self.queues = own
        let (counters, transfer) = (counters, TransferBox<WirePort>(port))
        @Sendable func queue(_ index: Int, _ role: QueueRole) -> FrameQueue {
            FrameQueue(
                role: role, served: ServedQueue(index: index, report: report),
                counters: counters[index - own.lowerBound])
        }
        do throws(WorkerStartFailure<VirtioNetError>) {
            worker = try RunningWorker(name: name) { failure in
                report(.failed(failure))
            } setUp: { commands throws(VirtioNetError) in
                try DeviceWorker(
                    port: transfer.take() ?? .none, commands: commands,
                    receive: queue(own.lowerBound, .receive(number)),
                    transmit: queue(own.lowerBound + 1, .transmit(number)))
            }
        } catch {
            throw VirtioNetError(error)
        }
    }

    /// Why the worker moves no more frames. Any thread.
    var failure: WorkerFailure? { worker.failure }

    /// What a queue has done so far. Any thread.
    func counts(_ queue: Int) -> QueueCounts { counters[queue - first].snapshot }

    /// What became of a queue's frames so far. Any thread.
    func account(_ queue: Int) -> FrameAccount { counters[queue - first].account }

    /// Returns when the worker has published what it had done before.
    func synchronise() { worker.synchronise() }

    /// Returns when what the worker has recorded is on its way to the file.
    func flushCapture() { worker.perform { worker in worker.recorder?.flush() } }

    func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        worker.perform { worker in
            for queue in queues { worker.withQueue(queue - first) { $0.served.replaceTable(entries) } }
        }
    }

    func setRingTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        worker.perform { worker in
            for queue in queues { worker.withQueue(queue - first) { $0.served.replaceRingTable(entries) } }
        }
    }

    func start(_ setups: [QueueSetup]) {
        worker.perform { worker in
            worker.takeEarlierKicks()
            for setup in setups { worker.withQueue(setup.queue - first) { $0.served.start(setup) } }
        }
    }

    func stop(_ queues: Range<Int>) -> [QueueState] {
        states(of: queues) { worker, queue in worker.withQueue(queue) { $0.served.stop() } }
    }

    func resume(_ setups: [QueueSetup]) {
        worker.perform { worker in
            worker.takeEarlierKicks()
            for setup in setups { worker.withQueue(setup.queue - first) { $0.served.start(setup) } }
            // No kick was kept; one each makes up for them.
            for setup in setups { worker.kick(setup.queue - first) }
        }
    }

    /// Where the worker has ended it stands where it is moved to.
    func move(_ queue: Int, to state: QueueState) -> QueueState {
        worker.perform { worker in worker.withQueue(queue - first) { $0.served.move(to: state) } } ?? state
    }

    func states(of queues: Range<Int>) -> [QueueState] {
        states(of: queues) { worker, queue in worker.withQueue(queue) { $0.served.state } }
    }

    /// What the worker answers for each of `queues`, by the number that it has there. Where the worker has ended they
    /// stand at the beginning.
    private func states(
        of queues: Range<Int>, _ answer: (inout DeviceWorker, Int) -> QueueState
    ) -> [QueueState] {
        let answers = worker.perform { (worker: inout DeviceWorker) -> [QueueState] in
            var states: [QueueState] = []
            for queue in queues { states.append(answer(&worker, queue - first)) }
            return states
        }
        return answers ?? queues.map { _ in .initial(.split) }
    }

    func bindKick(_ kick: SharedEventFD?, queue: Int) {
        worker.perform { worker in worker.loop.bind(shared: kick, signal: queue - first) }
    }

    func bindCall(_ call: SharedEventFD?, queue: Int) {
        worker.perform { worker in worker.withQueue(queue - first) { $0.served.bindCall(call) } }
    }

    func kick(_ queues: Range<Int>) {
        worker.perform { worker in
            for queue in queues { worker.kick(queue - first) }
        }
    }

    /// The number of the first queue, which is 0 for the worker.
    private var first: Int { queues.lowerBound }

    /// Returns when the worker has done everything that was asked of it and sleeps.
    func settle() { worker.settle() }

    /// Ends the worker, and returns when its port is closed. Every later call does nothing.
    func shutdown() { worker.shutdown() }
}
