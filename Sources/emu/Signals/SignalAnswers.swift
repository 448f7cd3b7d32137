internal import Dispatch
internal import EmulatedMachine
internal import Glibc
internal import Synchronization
internal import WorkerRuntime

/// What the signals have the process do and say, in a thread of its own: a line, an object and a lock may wait for a
/// reader who never reads, and whoever waits for the next signal must not.
final class SignalAnswers: Sendable {
    private let interrupt: RunInterrupt
    private let farewell: Farewell
    /// The first signal and the last.
    private let first = Atomic<Int32>(0)
    private let last = Atomic<Int32>(0)
    /// Signalled at each step of ``serve()``.
    private let step = DispatchSemaphore(value: 0)

    /// How long a last line and an object may take.
    private static let patience: UInt32 = 1_000_000

    /// Starts the thread.
    init(to interrupt: RunInterrupt, json: Bool) throws(WorkerThread.StartFailure<Never>) {
        self.interrupt = interrupt
        farewell = Farewell(json: json)
        try WorkerThread.start(name: "emu-farewell", setUp: { [self] in self }, run: { $0.serve() })
    }

    /// Has the command end with what it has, or the process where there is nothing yet. Returns at once.
    func endCommand(_ signal: Int32) {
        first.store(signal, ordering: .releasing)
        step.signal()
    }

    /// Has a line say what the command still waits for. Returns at once.
    func sayWhatIsWaitedFor() { step.signal() }

    /// Ends the process, with a line and an object if somebody takes them soon.
    func endProcess(_ signal: Int32) -> Never {
        last.store(signal, ordering: .releasing)
        step.signal()
        usleep(Self.patience)
        _exit(128 + signal)
    }

    private func serve() {
        step.wait()
        let signal = first.load(ordering: .acquiring)
        interrupt.raise(orWhilePreparing: {
            farewell.endUnlessResultIsThere(signal, "ended before anything was measured")
        })
        step.wait()
        // None where the command has ended meanwhile: nothing is said after its result.
        if let obstacle = Console.results.isWriting ? "standard output to take the result" : interrupt.step {
            Console.shared.printUnlessStuck(
                "emu: \(SignalName.of(signal)): still waiting for \(obstacle); another signal ends emu at once"
            )
        }
        step.wait()
        farewell.end(last.load(ordering: .acquiring), "ended at once, at the second signal")
    }
}
