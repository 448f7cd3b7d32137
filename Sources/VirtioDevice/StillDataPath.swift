package import GuestMemory
package import LinuxHost
package import VirtQueue

/// A data path that moves nothing: for a device that is only asked about its maps, without a worker.
package final class StillDataPath: DataPath {
    package init() {}

    package func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {}
    package func start(_ queues: [QueueSetup]) {}
    package func stop(_ queues: Range<Int>) -> [QueueState] { states(of: queues) }
    package func suspend(_ queues: Range<Int>) -> [QueueState] { states(of: queues) }
    package func resume(_ queues: [QueueSetup]) {}
    package func states(of queues: Range<Int>) -> [QueueState] { queues.map { _ in .initial(.split) } }
    package func endSuspension(keepsKicks: Bool) {}
    package func move(_ queue: Int, to state: QueueState) -> QueueState { .initial(.split) }
    package func bindKick(_ kick: SharedEventFD?, queue: Int) {}
    package func bindCall(_ call: SharedEventFD?, queue: Int) {}
    package func kick(_ queues: Range<Int>) {}
    package func shutdown() {}
}
