package import GuestMemory
package import LinuxHost
internal import IOUring
internal import Synchronization
internal import SystemPackage
package import VirtQueue
package import Virtio
package import VirtioDevice
package import VirtioNet
package import WorkerRuntime

/// The data path of the kernel's vdpa_sim_net: a receive, a transmit and a control queue, which one worker serves.
///
/// The methods return when the worker has done what they say, in one visit.
package final class VdpasimNetDevice: NetworkDataPath {
    private let commands: CommandBox<VdpasimNetWorker>
    private let thread: WorkerThread
    private let isShutDown = Atomic<Bool>(false)
    private let counters = [QueueCounters(), QueueCounters(), QueueCounters()]
    private let firstFailure = FirstFailure()
    private let space: ConfigurationSpace

    /// Starts the worker, on a thread called `name`. A control command changes the address in `configuration`.
    ///
    /// `report` is called on the worker's thread and must not wait for anything, least of all for this device.
    package init(
        name: String, configuration: ConfigurationSpace,
        report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws(VirtioNetError) {
        do throws(Errno) {
            commands = try CommandBox()
        } catch {
            throw VirtioNetError(.noEventDescriptor, errno: error)
        }
        space = configuration
        let (commands, counters, firstFailure) = (commands, counters, firstFailure)
        let report: @Sendable (DataPathEvent) -> Void = { event in
            if case .failed(let failure) = event { firstFailure.note(failure) }
            report(event)
        }
        do throws(WorkerThread.StartFailure<IOUringError>) {
            thread = try WorkerThread.start(name: name, box: commands) { () throws(IOUringError) in
                try VdpasimNetWorker(
                    box: commands, configuration: configuration, counters: counters, report: report)
            } run: { worker in
                worker.run(commands)
            }
        } catch {
            switch error {
            case .thread(let name, let errno):
                throw VirtioNetError(.worker(.thread(name: name, errno)), errno: errno)
            case .setUp(let error): throw VirtioNetError(.ring(error))
            }
        }
    }

    deinit { shutdown() }

    package var queues: QueueMap { .network(pairs: 1, hasControlQueue: true) }

    package var configurationSpace: ConfigurationSpace? { space }

    package var failure: WorkerFailure? {
        firstFailure.value
            ?? commands.wakeRefusal.map { errno in
                WorkerFailure(worker: VdpasimNetWorker.title, EventLoopFailure(signalRefused: errno))
            }
    }

    package func counts(_ index: Int) -> QueueCounts { counters[index].snapshot }

    package func account(_ index: Int) -> FrameAccount { counters[index].account }

    package func synchronise() { commands.perform { _ in } }

    // MARK: Queues

    package func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        commands.perform { worker in
            for queue in queues { worker.withQueue(queue) { $0.replaceTable(entries) } }
        }
    }

    package func start(_ queues: [QueueSetup]) {
        commands.perform { worker in
            worker.takeEarlierKicks()
            _ = worker.work.release()
            for setup in queues { worker.withQueue(setup.queue) { $0.start(setup) } }
        }
    }

    package func stop(_ queues: Range<Int>) -> [QueueState] {
        states(of: queues) { worker, queue in worker.withQueue(queue) { $0.stop() } }
    }

    package func suspend(_ queues: Range<Int>) -> [QueueState] {
        states(of: queues) { worker, queue in
            worker.work.hold()
            return worker.withQueue(queue) { $0.stop() }
        }
    }

    package func resume(_ queues: [QueueSetup]) {
        commands.perform { worker in
            worker.takeEarlierKicks()
            let isKicked = worker.work.release()
            for setup in queues { worker.withQueue(setup.queue) { $0.start(setup) } }
            guard isKicked else { return }
            for setup in queues { worker.kick(setup.queue) }
        }
    }

    package func states(of queues: Range<Int>) -> [QueueState] {
        states(of: queues) { worker, queue in worker.withQueue(queue) { $0.state } }
    }

    /// What the worker answers for each of `queues`. Where it has ended they stand at the beginning.
    private func states(
        of queues: Range<Int>, _ answer: (inout VdpasimNetWorker, Int) -> QueueState
    ) -> [QueueState] {
        let answers = commands.perform { (worker: inout VdpasimNetWorker) -> [QueueState] in
            var states: [QueueState] = []
            for queue in queues { states.append(answer(&worker, queue)) }
            return states
        }
        return answers ?? queues.map { _ in .initial(.split) }
    }

    package func bindKick(_ kick: SharedEventFD?, queue: Int) {
        commands.perform { worker in worker.loop.bind(shared: kick, signal: queue) }
    }

    package func bindCall(_ call: SharedEventFD?, queue: Int) {
        commands.perform { worker in worker.withQueue(queue) { $0.bindCall(call) } }
    }

    package func kick(_ queues: Range<Int>) {
        commands.perform { worker in
            for queue in queues { worker.kick(queue) }
        }
    }

    // MARK: The worker

    package func settle() {
        // What an earlier command asked for begins after the command: only a sleep from now on counts.
        commands.perform { worker in worker.forgetSleep() }
        while commands.perform({ worker in worker.isAtRest }) == false {}
    }

    package func shutdown() {
        guard !isShutDown.exchange(true, ordering: .relaxed) else { return }
        commands.perform { worker in
            // The counts are what it has done: nothing moves after this.
            worker.publishCounts()
            worker.isEnding = true
        }
        // One that cannot be woken ends in its own time.
        if !commands.isDeaf { thread.join() }
    }
}
