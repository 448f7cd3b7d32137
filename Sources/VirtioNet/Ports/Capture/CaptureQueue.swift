internal import SystemPackage
internal import WorkerRuntime

/// What waits to be written to a capture's file: blocks of memory that ports' workers fill, and that the file's own thread
/// writes and gives back.
///
/// A worker waits for a free block for a bounded time alone. Where none comes the capture is broken off: what is in the
/// queue is still written, and nothing is added to it.
final class CaptureQueue: Sendable {
    /// Packets in a block of memory.
    struct Batch: BitwiseCopyable, Sendable {
        /// The number of the block.
        let block: Int
        let byteCount: Int
        let packets: Int
    }

    /// What came of the file's first bytes.
    enum Beginning: Sendable {
        case done
        case refused(Errno)
    }

    /// How many batches wait at the most: 16 MiB.
    static let depth = 64
    /// How long a worker waits for free blocks, in a row.
    static let patience = Duration.milliseconds(100)
    /// How long the end waits for a file that takes nothing, and for one that does.
    private static let stillPatience = Duration.milliseconds(500)
    private static let lastPatience = Duration.seconds(1)
    /// How long it waits for a thread that was told to give up.
    private static let farewell = Duration.milliseconds(250)

    private let state: Monitor<State>

    /// Makes a queue for `writers` beside the one that writes.
    init(writers: Int) { state = Monitor(State(blocks: Self.depth + writers)) }

    /// How many blocks of memory it deals with.
    static func blockCount(writers: Int) -> Int { depth + writers }

    private struct State {
        var outcome = CaptureFile.Outcome()
        var beginning: Beginning?
        /// Blocks that nobody has.
        var free: [Int]
        /// What is to be written, the oldest first.
        var waiting: [Batch] = []
        /// What is being written.
        var writing: Batch?
        /// How often the file has taken something.
        var progress: UInt64 = 0
        /// No more batches come.
        var isEnding = false
        /// Nobody waits for the file any more.
        var isAbandoned = false
        /// The file has refused something.
        var isRefused = false
        /// The thread is done with the file.
        var hasEnded = false
        /// Everything is counted, whatever the thread does from now on.
        var isCounted = false

        init(blocks: Int) {
            free = Array((0..<blocks).reversed())
            waiting.reserveCapacity(blocks)
        }

        /// Takes a batch for a free block; its own one where it is left out, `nil` where none is free.
        mutating func exchange(_ batch: Batch) -> Int? {
            guard !isEnding, outcome.failure == nil else {
                outcome.unrecorded += UInt64(batch.packets)
                return batch.block
            }
            guard let next = free.popLast() else { return nil }
            waiting.append(batch)
            return next
        }

        /// What the file's thread does next; `nil` where it is to wait.
        mutating func next() -> Next? {
            if isAbandoned || isRefused {
                drop()
                return .end
            }
            guard !waiting.isEmpty else { return isEnding ? .end : nil }
            let batch = waiting.removeFirst()
            writing = batch
            return .batch(batch)
        }

        /// Leaves out what waits.
        mutating func drop() {
            for batch in waiting {
                outcome.unrecorded += UInt64(batch.packets)
                free.append(batch.block)
            }
            if !waiting.isEmpty { fail(.behind) }
            waiting.removeAll(keepingCapacity: true)
        }

        /// Has nothing in the file that it has taken, where it is not there any more.
        mutating func lose(_ failure: CaptureFile.Failure) {
            switch failure {
            case .changed, .removed, .moved:
                outcome.unrecorded += outcome.recorded
                outcome.recorded = 0
                outcome.failure = failure
            case .refused, .behind: fail(failure)
            }
        }

        /// The first failure is the one that counts.
        mutating func fail(_ failure: CaptureFile.Failure) {
            if outcome.failure == nil { outcome.failure = failure }
        }
    }

    private enum Next {
        case batch(Batch)
        case end
    }

    // MARK: For whoever records

    /// A block to fill.
    func takeBlock() -> Int {
        guard let block = state.change({ $0.free.popLast() }) else {
            preconditionFailure("a capture has a block for each writer")
        }
        return block
    }

    /// Takes a batch, and gives the block to go on with. Waits for one for `patience` at the most, which gets shorter by
    /// the wait and is whole again once there was none; then the capture is broken off.
    func exchange(_ batch: Batch, patience: inout Duration) -> Int {
        if let next = offer(batch) {
            patience = Self.patience
            return next
        }
        let start = ContinuousClock.now
        let next = state.wait(atMost: patience) { $0.exchange(batch) }
        patience = max(.zero, patience - start.duration(to: .now))
        return next
            ?? state.change { state in
                state.fail(.behind)
                state.outcome.unrecorded += UInt64(batch.packets)
                return batch.block
            }
    }

    /// The same where a block is free; else `nil`, and the batch stays with the caller.
    func offer(_ batch: Batch) -> Int? { state.change { $0.exchange(batch) } }

    /// Takes the last batch of a writer, empty perhaps, and its block with it. Waits for nothing.
    func takeBack(_ batch: Batch) {
        state.change { state in
            guard batch.packets > 0, !state.isEnding, state.outcome.failure == nil else {
                state.outcome.unrecorded += UInt64(batch.packets)
                state.free.append(batch.block)
                return
            }
            state.waiting.append(batch)
        }
    }

    /// Counts a packet that no block could be made of.
    func leaveOut() { state.change { $0.outcome.unrecorded += 1 } }

    // MARK: For the thread that writes

    /// Says what came of the file's first bytes.
    func begin(_ beginning: Beginning) {
        state.change { state in
            state.beginning = beginning
            if case .refused(let errno) = beginning {
                state.fail(.refused(errno))
                state.hasEnded = true
            }
        }
    }

    /// What to write, as soon as there is something; `nil` when that was all.
    func next() -> Batch? {
        if case .batch(let batch)? = state.wait(for: { $0.next() }) { batch } else { nil }
    }

    /// Says that the first `recorded` packets of a batch are in the file, and why not all. Its block is free then.
    func finish(_ batch: Batch, recorded: Int, failure: CaptureFile.Failure?) {
        state.change { state in
            guard !state.isCounted else { return }
            state.writing = nil
            state.outcome.recorded += UInt64(recorded)
            state.outcome.unrecorded += UInt64(batch.packets - recorded)
            state.free.append(batch.block)
            guard let failure else { return }
            state.fail(failure)
            state.isRefused = true
            state.drop()
        }
    }

    /// Says that the file has taken something. Whether nobody waits for it any more.
    func noteProgress() -> Bool {
        state.change { state in
            state.progress &+= 1
            return state.isAbandoned
        }
    }

    /// Says that the file is closed, and why not all that it has taken is in it.
    func end(_ failure: CaptureFile.Failure?) {
        state.change { state in
            if let failure, !state.isCounted { state.lose(failure) }
            state.hasEnded = true
        }
    }

    /// Whether nobody waits for the file any more.
    var isAbandoned: Bool { state.change { $0.isAbandoned } }

    // MARK: For whoever began

    /// What became of the packets so far.
    var outcome: CaptureFile.Outcome { state.change { $0.outcome } }

    /// What came of the file's first bytes; `nil` where it does not take them, and is given up.
    func awaitBeginning(atMost patience: Duration) -> Beginning? {
        if let beginning = state.wait(atMost: patience, for: { $0.beginning }) { return beginning }
        abandon()
        return nil
    }

    /// Returns when the file has everything, or does not take it. Waits for half a second while it takes nothing, and a
    /// second and a half in all.
    func finish() {
        state.change { $0.isEnding = true }
        let deadline = ContinuousClock.now.advanced(by: Self.lastPatience)
        while true {
            let (progress, isDone) = state.change { state in
                (state.progress, state.beginning == nil || state.hasEnded || state.isCounted)
            }
            if isDone { return }
            let left = ContinuousClock.now.duration(to: deadline)
            guard left > .zero,
                state.wait(
                    atMost: min(left, Self.stillPatience),
                    for: { $0.hasEnded || $0.progress != progress ? true : nil }) != nil
            else { return abandon() }
        }
    }

    /// Has the thread give up, and counts without it where it does not answer.
    private func abandon() {
        state.change { $0.isAbandoned = true }
        guard state.wait(atMost: Self.farewell, for: { $0.hasEnded ? true : nil }) == nil else { return }
        state.change { state in
            guard !state.hasEnded else { return }
            state.isCounted = true
            state.drop()
            // Without one the kernel has everything, and closing the file takes long.
            guard let writing = state.writing else { return }
            state.fail(.behind)
            state.outcome.unrecorded += UInt64(writing.packets)
        }
    }
}
