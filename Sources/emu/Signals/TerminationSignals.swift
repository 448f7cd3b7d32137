internal import CLinux
internal import EmulatedMachine
internal import Glibc
internal import WorkerRuntime

/// The signals that ask a process to end: the first has the command end with what it has, one that comes later than
/// ``grace`` ends the process at once.
///
/// One that the process was started to ignore stays ignored: SIGHUP under nohup, SIGINT in a script's background job.
enum TerminationSignals {
    /// A terminal's and a service manager's, a timer's (SIGALRM), and those by which batch systems have a job end before
    /// they kill it: SIGXCPU at the soft limit of CPU time (setrlimit(2)), SIGUSR1 and SIGUSR2.
    static let requests = [SIGINT, SIGTERM, SIGHUP, SIGALRM, SIGXCPU, SIGUSR1, SIGUSR2]

    /// Signals that come this soon after the first are the same request: GNU timeout sends its signal to the
    /// process and to its group, and a shell's Ctrl-C reaches whoever forwards it as well. A command that takes
    /// longer to end says what it waits for.
    static let grace = Duration.seconds(1)

    /// Blocks the signals in this thread and those it makes from now on. Before anything makes a thread. A signal
    /// that comes before ``forward(to:json:)`` waits for it.
    static func block() {
        var signals = handled
        _ = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Takes the signals as they always were: they end the process.
    static func unblock() {
        var signals = handled
        _ = unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Has threads of their own wait for the signals and answer them: no code runs in a signal handler, and no system call of the
    /// command is interrupted.
    ///
    /// With `json`, a process that ends without a result says so as an object. One that came before ends it here.
    static func forward(to interrupt: RunInterrupt, json: Bool) throws(MachineError) {
        if let earlier { Farewell(json: json).end(earlier, "ended before anything was measured") }
        let waited = handled
        do throws(WorkerThread.StartFailure<Never>) {
            let answers = try SignalAnswers(to: interrupt, json: json)
            try WorkerThread.start(
                name: "emu-signals", setUp: { waited },
                run: { signals in serve(&signals, answers) })
        } catch {
            throw .thread(error)
        }
    }

    private static var handled: sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in requests where clinux_is_ignored(signal) == 0 {
            unsafe sigaddset(&signals, signal)
        }
        return signals
    }

    /// A signal that came before anybody waited for one.
    private static var earlier: Int32? {
        var signals = handled
        let number = unsafe clinux_signal_await(&signals, 0)
        return number > 0 ? number : nil
    }

    /// Waits for signals and for nothing else: the second ends the process whoever is stuck in what.
    private static func serve(_ signals: inout sigset_t, _ answers: SignalAnswers) {
        var first: Int32 = 0
        guard unsafe sigwait(&signals, &first) == 0 else { return }
        answers.endCommand(first)
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: grace)
        while clock.now < end { waitAWhile(for: &signals, until: clock.now.duration(to: end)) }
        answers.sayWhatIsWaitedFor()
        // The kernel sends SIGXCPU again with every second of CPU time: the same request.
        unsafe sigdelset(&signals, SIGXCPU)
        var second: Int32 = 0
        guard unsafe sigwait(&signals, &second) == 0 else { return }
        answers.endProcess(second)
    }

    /// Takes one signal, or waits for `time`.
    private static func waitAWhile(for signals: inout sigset_t, until time: Duration) {
        _ = unsafe clinux_signal_await(&signals, Int64(time / .nanoseconds(1)))
    }
}
