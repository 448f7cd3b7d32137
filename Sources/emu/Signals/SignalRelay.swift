internal import ForeignPrograms
internal import Glibc
internal import WorkerRuntime

/// Signals on their way to a program that `emu` runs: the thread that takes them puts them here. Any thread.
final class SignalRelay: Sendable {
    /// How long a signal takes to reach the program, in microseconds: the supervisor looks more often than that.
    static let delivery: UInt32 = 50_000

    /// What goes to a program alone, and asks nobody to end.
    static let more = [SIGWINCH, SIGTSTP, SIGCONT]

    /// Signals that a program may take for anything, which ask this process for nothing then.
    private static let programs = [SIGUSR1, SIGUSR2] + more

    /// What a terminal sends to a process group.
    private static let terminals = [SIGINT, SIGTSTP, SIGWINCH]

    private let waiting = Guarded<[PassedSignal]>([])

    /// Takes the signal for the program. `true` where it asks this process for nothing.
    func take(_ number: Int32, isKernels: Bool) -> Bool {
        let signal = PassedSignal(number, isGroups: isKernels && Self.terminals.contains(number))
        waiting.withLock { $0.append(signal) }
        return Self.programs.contains(number)
    }

    /// What has come since the last time.
    func passed() -> [PassedSignal] {
        waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
    }
}
