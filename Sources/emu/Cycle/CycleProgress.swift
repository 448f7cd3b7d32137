internal import CycleBenchmark
internal import EmulatedMachine
internal import GuestMemory

/// A bar that shows how far a benchmark is, where somebody watches; nothing otherwise.
final class CycleProgress: CycleObserver {
    private let console: Console
    private let interrupt: RunInterrupt
    private var hasBegun = false
    private var lastShown = ContinuousClock.now

    /// `interrupt` is told what the benchmark does once there is something to lose.
    init(console: Console, interrupt: RunInterrupt) {
        self.console = console
        self.interrupt = interrupt
    }

    func willPrepare(_ memory: ByteCount) {
        if hasBegun { interrupt.enter("\(memory) of guest memory to be mapped") }
        console.showLive("\(memory)  filling and mapping guest memory")
    }

    func didBeginMeasuring(_ memory: ByteCount) {
        hasBegun = true
        interrupt.enter("a stop and start with \(memory) of guest memory to end")
    }

    func willEnd() { interrupt.enter("the machine to give its memory back") }

    func didCycle(_ memory: ByteCount, _ purpose: CycleSchedule.Turn.Purpose, done: Int, total: Int) {
        let now = ContinuousClock.now
        guard lastShown.duration(to: now) >= .milliseconds(200) || done == total else { return }
        lastShown = now
        console.showLive(Self.line(memory, purpose, done: done, total: total))
    }

    /// Takes the bar away.
    func end() { console.showLive("") }

    /// `done` and `total` are cycles of each strategy, as `--cycles` counts them.
    static func line(
        _ memory: ByteCount, _ purpose: CycleSchedule.Turn.Purpose, done: Int, total: Int
    ) -> String {
        let width = 30
        let share = total > 0 ? min(1, Double(done) / Double(total)) : 1
        let filled = Int((share * Double(width)).rounded(.down))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        return
            "\(memory)  \(bar)  \(NumberText.grouped(done)) of \(NumberText.grouped(total)) \(purpose.words)"
    }
}

extension CycleSchedule.Turn.Purpose {
    /// Which cycles they are, behind a number.
    fileprivate var words: String {
        switch self {
        case .warmUp: "warm-up cycles of each strategy"
        case .whole: "cycles of each strategy"
        case .phases: "cycles of each strategy, phase by phase"
        case .traffic: "cycles of each strategy under traffic"
        }
    }
}
