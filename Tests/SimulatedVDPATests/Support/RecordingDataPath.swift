import GuestMemory
import LinuxHost
import Synchronization
import VirtQueue
import Virtio
import VirtioDevice

/// A data path that moves nothing and remembers what it was told.
final class RecordingDataPath: DataPath {
    enum Call: Equatable {
        case translation([TranslationEntry], Range<Int>)
        case start(Int, RingLayout, VirtioFeatures, base: UInt16)
        case stop(Int)
        case position(Int)
        case kickBound(Int, isBound: Bool)
        case callBound(Int, isBound: Bool)
        case kick(Int)
        case shutdown
    }

    struct State {
        var calls: [Call] = []
        /// The position each queue reports when it is stopped.
        var positions: [Int: UInt16] = [:]
        var translations: [Int: [TranslationEntry]] = [:]
        var running: Set<Int> = []
    }

    let report: @Sendable (DataPathEvent) -> Void
    let state = Mutex(State())

    init(report: @escaping @Sendable (DataPathEvent) -> Void) { self.report = report }

    var calls: [Call] { state.withLock { $0.calls } }
    var running: Set<Int> { state.withLock { $0.running } }

    /// What `queue` translates through.
    func translation(_ queue: Int) -> [TranslationEntry] { state.withLock { $0.translations[queue] ?? [] } }

    /// Lets a running queue have got to `position`.
    func advance(_ queue: Int, to position: UInt16) { state.withLock { $0.positions[queue] = position } }

    func forgetCalls() { state.withLock { $0.calls = [] } }

    func setTranslation(_ entries: [TranslationEntry], queues: Range<Int>) {
        state.withLock { state in
            state.calls.append(.translation(entries, queues))
            for queue in queues { state.translations[queue] = entries }
        }
    }

    func startQueue(_ index: Int, layout: RingLayout, features: VirtioFeatures, base: UInt16) {
        state.withLock { state in
            state.calls.append(.start(index, layout, features, base: base))
            state.positions[index] = base
            state.running.insert(index)
        }
    }

    func stopQueue(_ index: Int) -> UInt16 {
        state.withLock { state in
            state.calls.append(.stop(index))
            state.running.remove(index)
            return state.positions[index] ?? 0
        }
    }

    func position(of index: Int) -> UInt16 {
        state.withLock { state in
            state.calls.append(.position(index))
            return state.positions[index] ?? 0
        }
    }

    func bindKick(_ kick: SharedEventFD?, queue: Int) {
        state.withLock { $0.calls.append(.kickBound(queue, isBound: kick != nil)) }
    }

    func bindCall(_ call: SharedEventFD?, queue: Int) {
        state.withLock { $0.calls.append(.callBound(queue, isBound: call != nil)) }
    }

    func kick(_ queue: Int) { state.withLock { $0.calls.append(.kick(queue)) } }

    func shutdown() { state.withLock { $0.calls.append(.shutdown) } }
}
