import GuestMemory
import LinuxHost
import Synchronization
import VirtQueue
import Virtio
import VirtioDevice

/// A data path that moves nothing and remembers what it was told.
final class RecordingDataPath: DataPath {
    /// What a queue was started with.
    struct Start: Equatable {
        let queue: Int
        let layout: RingLayout
        let features: VirtioFeatures
        let state: QueueState
        let usedLag: UInt16
        let hasCall: Bool

        init(_ setup: QueueSetup) {
            queue = setup.queue
            layout = setup.layout
            features = setup.features
            state = setup.state
            usedLag = setup.usedLag
            hasCall = setup.call != nil
        }

        init(
            _ queue: Int, _ layout: RingLayout, _ features: VirtioFeatures, base: UInt16,
            usedLag: UInt16 = 0, hasCall: Bool = false
        ) {
            self.queue = queue
            self.layout = layout
            self.features = features
            state = .split(nextAvail: base)
            self.usedLag = usedLag
            self.hasCall = hasCall
        }
    }

    /// A call, which is one visit of the worker.
    enum Call: Equatable {
        case translation([TranslationEntry], Range<Int>)
        case ringTranslation([TranslationEntry], Range<Int>)
        case start([Start])
        case stop(Range<Int>)
        case suspend(Range<Int>)
        case resume([Start])
        case suspensionEnded(keepsKicks: Bool)
        case move(Int, QueueState)
        case states(Range<Int>)
        case kickBound(Int, isBound: Bool)
        case callBound(Int, isBound: Bool)
        case kick(Range<Int>)
        case shutdown
    }

    struct State {
        var calls: [Call] = []
        /// The position each queue reports when it is stopped.
        var positions: [Int: UInt16] = [:]
        var translations: [Int: [TranslationEntry]] = [:]
        var ringTranslations: [Int: [TranslationEntry]] = [:]
        var running: Set<Int> = []
        var features: VirtioFeatures = []

        mutating func start(_ queues: [QueueSetup]) {
            for setup in queues {
                positions[setup.queue] = setup.state.base.availIndex
                running.insert(setup.queue)
            }
        }

        mutating func stop(_ queues: Range<Int>) -> [QueueState] {
            running.subtract(queues)
            return states(of: queues)
        }

        func states(of queues: Range<Int>) -> [QueueState] {
            queues.map { .split(nextAvail: positions[$0] ?? 0) }
        }
    }

    let report: @Sendable (DataPathEvent) -> Void
    let state = Mutex(State())

    init(report: @escaping @Sendable (DataPathEvent) -> Void) { self.report = report }

    var calls: [Call] { state.withLock { $0.calls } }
    var running: Set<Int> { state.withLock { $0.running } }

    /// Every start of a queue so far, in order.
    var starts: [Start] {
        calls.flatMap { (call: Call) -> [Start] in
            switch call {
            case .start(let starts), .resume(let starts): return starts
            default: return []
            }
        }
    }

    /// What the device goes by at this moment, whenever its queues were started.
    var features: VirtioFeatures { state.withLock { $0.features } }

    /// What `queue` translates through.
    func translation(_ queue: Int) -> [TranslationEntry] { state.withLock { $0.translations[queue] ?? [] } }

    /// What the ring of `queue` translates through; `nil` where nobody has said apart from the buffers.
    func ringTranslation(_ queue: Int) -> [TranslationEntry]? {
        state.withLock { $0.ringTranslations[queue] }
    }

    /// Lets a running queue have got to `position`.
    func advance(_ queue: Int, to position: UInt16) { state.withLock { $0.positions[queue] = position } }

    func forgetCalls() { state.withLock { $0.calls = [] } }

    func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        state.withLock { state in
            state.calls.append(.translation(entries, queues))
            for queue in queues { state.translations[queue] = entries }
        }
    }

    func setRingTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        state.withLock { state in
            state.calls.append(.ringTranslation(entries, queues))
            for queue in queues { state.ringTranslations[queue] = entries }
        }
    }

    func setFeatures(_ features: VirtioFeatures) { state.withLock { $0.features = features } }

    func start(_ queues: [QueueSetup]) {
        state.withLock { state in
            state.calls.append(.start(queues.map(Start.init)))
            state.start(queues)
        }
    }

    func stop(_ queues: Range<Int>) -> [QueueState] {
        state.withLock { state in
            state.calls.append(.stop(queues))
            return state.stop(queues)
        }
    }

    func suspend(_ queues: Range<Int>) -> [QueueState] {
        state.withLock { state in
            state.calls.append(.suspend(queues))
            return state.stop(queues)
        }
    }

    func resume(_ queues: [QueueSetup]) {
        state.withLock { state in
            state.calls.append(.resume(queues.map(Start.init)))
            state.start(queues)
        }
    }

    func endSuspension(keepsKicks: Bool) {
        state.withLock { $0.calls.append(.suspensionEnded(keepsKicks: keepsKicks)) }
    }

    func move(_ queue: Int, to position: QueueState) -> QueueState {
        state.withLock { state in
            state.calls.append(.move(queue, position))
            let old = state.states(of: queue..<queue + 1)[0]
            state.positions[queue] = position.base.availIndex
            return old
        }
    }

    func states(of queues: Range<Int>) -> [QueueState] {
        state.withLock { state in
            state.calls.append(.states(queues))
            return state.states(of: queues)
        }
    }

    func bindKick(_ kick: SharedEventFD?, queue: Int) {
        state.withLock { $0.calls.append(.kickBound(queue, isBound: kick != nil)) }
    }

    func bindCall(_ call: SharedEventFD?, queue: Int) {
        state.withLock { $0.calls.append(.callBound(queue, isBound: call != nil)) }
    }

    func kick(_ queues: Range<Int>) { state.withLock { $0.calls.append(.kick(queues)) } }

    func shutdown() { state.withLock { $0.calls.append(.shutdown) } }
}
