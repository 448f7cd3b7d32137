import SystemPackage

@testable import WorkerRuntime

/// A worker whose work is to note what is asked of it.
struct NotingWorker: EventLoopWorker, ~Copyable {
    enum Step: Equatable {
        case command, pass, signal, counts, question, sleep, finish
    }

    static let title = "the test's worker"

    var loop: EventLoop
    var progress = WorkerProgress()
    var signalRefusal: Errno?
    private let steps: Guarded<[Step]>
    /// How many passes still have something to do without a signal, and how often there is something after all when it
    /// would sleep.
    private var work: Int
    private var surprises: Int

    init(
        commands: FileDescriptor, steps: Guarded<[Step]>, work: Int = 0, surprises: Int = 0
    ) throws {
        loop = try EventLoop(commands: commands, port: nil, signals: 1, batchSize: 8)
        self.steps = steps
        self.work = work
        self.surprises = surprises
    }

    func note(_ step: Step) { steps.withLock { $0.append(step) } }

    mutating func serve() -> Bool {
        note(.pass)
        if loop.takeSignals(0) > 0 {
            note(.signal)
            return true
        }
        guard work > 0 else { return false }
        work -= 1
        return true
    }

    func publishCounts() { note(.counts) }

    mutating func isReadyToSleep() -> Bool {
        note(.question)
        guard surprises > 0 else { return true }
        surprises -= 1
        return false
    }

    mutating func sleep() {
        note(.sleep)
        loop.sleep()
    }

    func finish() { note(.finish) }
}
