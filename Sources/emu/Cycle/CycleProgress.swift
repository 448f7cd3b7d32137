internal import CycleBenchmark
internal import GuestMemory

/// A bar that shows how far a benchmark is, where somebody watches; nothing otherwise.
final class CycleProgress: CycleObserver {
    private let console: Console
    private var lastShown = ContinuousClock.now
    /// Whether a cycle has been done, so that the benchmark has started.
    private(set) var hasStarted = false

    init(console: Console) { self.console = console }

    func willPrepare(_ memory: ByteCount) {
        console.showLive("\(memory)  filling and mapping guest memory")
    }

    func didCycle(_ memory: ByteCount, done: Int, total: Int) {
        hasStarted = true
        let now = ContinuousClock.now
        guard lastShown.duration(to: now) >= .milliseconds(200) || done == total else { return }
        lastShown = now
        console.showLive(Self.line(memory, done: done, total: total))
    }

    /// Takes the bar away.
    func end() { console.showLive("") }

    static func line(_ memory: ByteCount, done: Int, total: Int) -> String {
        let width = 30
        let filled = total > 0 ? min(width, done * width / total) : width
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        return "\(memory)  \(bar)  \(NumberText.grouped(done)) of \(NumberText.grouped(total)) cycles"
    }
}
