package import GuestMemory
package import LinuxHost
package import VirtQueue
package import Virtio
package import VirtioDevice
package import VirtioNet
package import WorkerRuntime

/// The data path of the kernel's vdpa_sim_net: a receive, a transmit and a control queue, which one worker serves.
///
/// The methods return when the worker has done what they say, in one visit.
package final class VdpasimNetDevice: NetworkDataPath {
    private let worker: RunningWorker<VdpasimNetWorker>
    private let counters = [QueueCounters(), QueueCounters(), QueueCounters()]
    private let space: ConfigurationSpace

    /// Starts the worker, on a thread called `name`. A control command changes the address in `configuration`.
    ///
    /// `report` is called on the worker's thread and must not wait for anything, least of all for this device.
    package init(
        name: String, configuration: ConfigurationSpace,
        report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws(VirtioNetError) {
        space = configuration
        let counters = counters
        do throws(WorkerStartFailure<VirtioNetError>) {
            worker = try RunningWorker(name: name) { failure in
                report(.failed(failure))
            } setUp: { commands throws(VirtioNetError) in
                try VdpasimNetWorker(
                    commands: commands, configuration: configuration, counters: counters, report: report)
            }
        } catch {
            throw VirtioNetError(error)
        }
    }

    package var queues: QueueMap { .network(pairs: 1, hasControlQueue: true) }

    package var configurationSpace: ConfigurationSpace? { space }

    package var failure: WorkerFailure? { worker.failure }

    package func counts(_ index: Int) -> QueueCounts { counters[index].snapshot }

    package func account(_ index: Int) -> FrameAccount { counters[index].account }

    package func synchronise() { worker.synchronise() }

    // MARK: Queues

    package func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        worker.perform { worker in
            for queue in queues { worker.withQueue(queue) { $0.replaceTable(entries) } }
        }
    }

    package func setFeatures(_ features: VirtioFeatures) {
        worker.perform { worker in worker.features = features }
    }

    package func start(_ queues: [QueueSetup]) {
        worker.perform { worker in
            worker.takeEarlierKicks()
            worker.work.release()
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

    /// Kicks that were kept are of every queue, whichever of them were kicked (`vdpasim_resume`).
    package func resume(_ queues: [QueueSetup]) {
        worker.perform { worker in
            worker.takeEarlierKicks()
            let isKicked = worker.work.takeKeptKicks()
            worker.work.release()
            for setup in queues { worker.withQueue(setup.queue) { $0.start(setup) } }
            guard isKicked else { return }
            for queue in 0...2 { worker.kick(queue) }
        }
    }

    package func endSuspension(keepsKicks: Bool) {
        worker.perform { worker in
            worker.takeEarlierKicks()
            worker.work.release()
            if !keepsKicks { _ = worker.work.takeKeptKicks() }
        }
    }

    /// Where the worker has ended it stands where it is moved to.
    package func move(_ queue: Int, to state: QueueState) -> QueueState {
        worker.perform { worker in worker.withQueue(queue) { $0.move(to: state) } } ?? state
    }

    package func states(of queues: Range<Int>) -> [QueueState] {
        states(of: queues) { worker, queue in worker.withQueue(queue) { $0.state } }
    }

    /// What the worker answers for each of `queues`. Where it has ended they stand at the beginning.
    private func states(
        of queues: Range<Int>, _ answer: (inout VdpasimNetWorker, Int) -> QueueState
    ) -> [QueueState] {
        let answers = worker.perform { (worker: inout VdpasimNetWorker) -> [QueueState] in
            var states: [QueueState] = []
            for queue in queues { states.append(answer(&worker, queue)) }
            return states
        }
        return answers ?? queues.map { _ in .initial(.split) }
    }

    package func bindKick(_ kick: SharedEventFD?, queue: Int) {
        worker.perform { worker in worker.loop.bind(shared: kick, signal: queue) }
    }

    package func bindCall(_ call: SharedEventFD?, queue: Int) {
        worker.perform { worker in worker.withQueue(queue) { $0.bindCall(call) } }
    }

    package func kick(_ queues: Range<Int>) {
        worker.perform { worker in
            for queue in queues { worker.kick(queue) }
        }
    }

    // MARK: The worker

    package func settle() { worker.settle() }

    package func shutdown() { worker.shutdown() }
}
