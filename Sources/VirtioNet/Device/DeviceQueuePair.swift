internal import GuestMemory
internal import LinuxHost
internal import Synchronization
internal import SystemPackage
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
    let commands: CommandBox<DeviceWorker>
    private let thread: WorkerThread
    private let isShutDown = Atomic<Bool>(false)
    private let counters = [QueueCounters(), QueueCounters()]
    /// The queues that the worker serves.
    let queues: Range<Int>
    private let firstFailure = FirstFailure()

    /// Starts the worker, which serves `port` with pair `number` of `queues`, the device's.
    init(
        name: String, pair number: Int, of queues: QueueMap, port: consuming sending WirePort,
        report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws(VirtioNetError) {
        do throws(Errno) {
            commands = try CommandBox()
        } catch {
            throw VirtioNetError(.noEventDescriptor, errno: error)
        }
        let own = queues.pair(number)
        self.queues = own
        let (commands, counters, transfer) = (commands, counters, TransferBox<WirePort>(port))
        let firstFailure = firstFailure
        let report: @Sendable (DataPathEvent) -> Void = { event in
            if case .failed(let failure) = event { firstFailure.note(failure) }
            report(event)
        }
        @Sendable func queue(_ index: Int, _ role: QueueRole) -> FrameQueue {
            FrameQueue(
                role: role, served: ServedQueue(index: index, report: report),
                counters: counters[index - own.lowerBound])
        }
        do throws(WorkerThread.StartFailure<VirtioNetError>) {
            thread = try WorkerThread.start(name: name, box: commands) { () throws(VirtioNetError) in
                try DeviceWorker(
                    port: transfer.take() ?? .none, box: commands,
                    receive: queue(own.lowerBound, .receive(number)),
                    transmit: queue(own.lowerBound + 1, .transmit(number)))
            } run: { worker in
                worker.run(commands)
            }
        } catch {
            throw VirtioNetError(error)
        }
    }

    deinit { shutdown() }

    /// Why the worker moves no more frames. Any thread.
    var failure: WorkerFailure? {
        firstFailure.value
            ?? commands.wakeRefusal.map { errno in
                WorkerFailure(worker: DeviceWorker.title, EventLoopFailure(signalRefused: errno))
            }
    }

    /// What a queue has done so far. Any thread.
    func counts(_ queue: Int) -> QueueCounts { counters[queue - first].snapshot }

    /// What became of a queue's frames so far. Any thread.
    func account(_ queue: Int) -> FrameAccount { counters[queue - first].account }

    /// Returns when the worker has published what it had done before.
    func synchronise() { commands.perform { _ in } }

    /// Returns when what the worker has recorded is on its way to the file.
    func flushCapture() { commands.perform { worker in worker.recorder?.flush() } }

    func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        commands.perform { worker in
            for queue in queues { worker.withQueue(queue - first) { $0.served.replaceTable(entries) } }
        }
    }

    func start(_ setups: [QueueSetup]) {
        commands.perform { worker in
            worker.takeEarlierKicks()
            for setup in setups { worker.withQueue(setup.queue - first) { $0.served.start(setup) } }
        }
    }

    func stop(_ queues: Range<Int>) -> [QueueState] {
        states(of: queues) { worker, queue in worker.withQueue(queue) { $0.served.stop() } }
    }

    func resume(_ setups: [QueueSetup]) {
        commands.perform { worker in
            worker.takeEarlierKicks()
            for setup in setups { worker.withQueue(setup.queue - first) { $0.served.start(setup) } }
            // No kick was kept; one each makes up for them.
            for setup in setups { worker.kick(setup.queue - first) }
        }
    }

    func states(of queues: Range<Int>) -> [QueueState] {
        states(of: queues) { worker, queue in worker.withQueue(queue) { $0.served.state } }
    }

    /// What the worker answers for each of `queues`, by the number that it has there. Where the worker has ended they
    /// stand at the beginning.
    private func states(
        of queues: Range<Int>, _ answer: (inout DeviceWorker, Int) -> QueueState
    ) -> [QueueState] {
        let answers = commands.perform { (worker: inout DeviceWorker) -> [QueueState] in
            var states: [QueueState] = []
            for queue in queues { states.append(answer(&worker, queue - first)) }
            return states
        }
        return answers ?? queues.map { _ in .initial(.split) }
    }

    func bindKick(_ kick: SharedEventFD?, queue: Int) {
        commands.perform { worker in worker.loop.bind(shared: kick, signal: queue - first) }
    }

    func bindCall(_ call: SharedEventFD?, queue: Int) {
        commands.perform { worker in worker.withQueue(queue - first) { $0.served.bindCall(call) } }
    }

    func kick(_ queues: Range<Int>) {
        commands.perform { worker in
            for queue in queues { worker.kick(queue - first) }
        }
    }

    /// The number of the first queue, which is 0 for the worker.
    private var first: Int { queues.lowerBound }

    /// Returns when the worker has done everything that was asked of it and sleeps.
    func settle() {
        // What an earlier command asked for begins after the command: only a sleep from now on counts.
        commands.perform { worker in worker.forgetSleep() }
        while commands.perform({ worker in worker.isAtRest }) == false {}
    }

    /// Ends the worker, and returns when its port is closed. Every later call does nothing.
    func shutdown() {
        guard !isShutDown.exchange(true, ordering: .relaxed) else { return }
        commands.perform { worker in
            // What it has recorded is handed over, and is what the counts say: nothing moves after this.
            worker.recorder = nil
            worker.receive.publishCounts()
            worker.transmit.publishCounts()
            worker.isEnding = true
        }
        // One that cannot be woken ends in its own time.
        if !commands.isDeaf { thread.join() }
    }
}
