import GuestMemory
import LinuxHost
import SystemPackage
import VirtQueue
import VirtioDevice
import WorkerRuntime

/// A data path that moves nothing, and tells when it is commanded: whoever stands in for its worker looks then at what that
/// may still use.
///
/// Sendable because a test has it on one thread.
final class WatchedDataPath: DataPath, @unchecked Sendable {
    /// A visit of the worker's, before it is over.
    enum Visit: Equatable { case translation, start, stop, kick }

    /// Called at every visit.
    var watch: (Visit) -> Void = { _ in }
    private(set) var failure: WorkerFailure?
    private(set) var visits: [Visit] = []
    /// Where the queues stand.
    var positions: [Int: QueueState] = [:]

    /// Has the worker fail: what it is told from now on it may not hear.
    func fail() {
        let cause = EventLoopFailure(signalRefused: .permissionDenied)
        failure = WorkerFailure(worker: "the worker", cause)
    }

    private func visit(_ visit: Visit) {
        visits.append(visit)
        watch(visit)
    }

    func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) { visit(.translation) }

    func start(_ queues: [QueueSetup]) {
        visit(.start)
        for setup in queues { positions[setup.queue] = setup.state }
    }

    func stop(_ queues: Range<Int>) -> [QueueState] {
        visit(.stop)
        return states(of: queues)
    }

    func suspend(_ queues: Range<Int>) -> [QueueState] { stop(queues) }

    func resume(_ queues: [QueueSetup]) { start(queues) }

    func endSuspension(keepsKicks: Bool) {}

    func move(_ queue: Int, to position: QueueState) -> QueueState { position }

    func states(of queues: Range<Int>) -> [QueueState] {
        queues.map { positions[$0] ?? .initial(.split) }
    }

    func bindKick(_ kick: SharedEventFD?, queue: Int) {}

    func bindCall(_ call: SharedEventFD?, queue: Int) {}

    func kick(_ queues: Range<Int>) { visit(.kick) }

    func shutdown() {}
}
