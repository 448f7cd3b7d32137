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
    ///
    /// With `more`, also before anything makes a thread, others are blocked besides.
    static func block(_ more: [Int32] = []) {
        var signals = handled(more)
        _ = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Takes the signals as they always were: they end the process.
    static func unblock() {
        var signals = handled()
        _ = unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Has threads of their own wait for the signals and answer them: no code runs in a signal handler, and no system call of the
    /// command is interrupted.
    ///
    /// With `json`, a process that ends without a result says so as an object. One that came before ends it here. A program
    /// that gets its signals by `relay` gets all of them.
    static func forward(
        to interrupt: RunInterrupt, json: Bool, relay: SignalRelay? = nil
    ) throws(MachineError) {
        if let earlier { Farewell(json: json).end(earlier, "ended before anything was measured") }
        let more = relay == nil ? [] : SignalRelay.more
        block(more)
        let waited = handled(more)
        do throws(WorkerThread.StartFailure<Never>) {
            let answers = try SignalAnswers(to: interrupt, json: json)
            try WorkerThread.start(
                name: "emu-signals", setUp: { waited },
                run: { signals in serve(&signals, answers, relay) })
        } catch {
            throw .thread(error)
        }
    }

    private static func handled(_ more: [Int32] = []) -> sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for signal in requests + more where clinux_is_ignored(signal) == 0 {
            unsafe sigaddset(&signals, signal)
        }
        return signals
    }

    /// A signal that came before anybody waited for one.
    private static var earlier: Int32? {
        var signals = handled()
        let number = unsafe clinux_signal_await(&signals, 0)
        return number > 0 ? number : nil
    }

    /// Waits for signals and for nothing else: the second ends the process whoever is stuck in what.
    private static func serve(
        _ signals: inout sigset_t, _ answers: SignalAnswers, _ relay: SignalRelay?
    ) {
        guard let first = next(&signals, relay, within: nil) else { return }
        answers.endCommand(first)
        let clock = ContinuousClock()
        let end = clock.now.advanced(by: grace)
        while clock.now < end { _ = next(&signals, relay, within: clock.now.duration(to: end)) }
        answers.sayWhatIsWaitedFor()
        // The kernel sends SIGXCPU again with every second of CPU time: the same request.
        unsafe sigdelset(&signals, SIGXCPU)
        guard let second = next(&signals, relay, within: nil) else { return }
        answers.endProcess(second)
    }

    /// The next signal that asks for the end; `nil` where none comes within `time`. Others go by `relay`.
    private static func next(
        _ signals: inout sigset_t, _ relay: SignalRelay?, within time: Duration?
    ) -> Int32? {
        let clock = ContinuousClock()
        let end = time.map { clock.now.advanced(by: $0) }
        while true {
            let left = end.map { max(0, Int64(clock.now.duration(to: $0) / .nanoseconds(1))) } ?? -1
            var isKernels: Int32 = 0
            let number = unsafe clinux_signal_take(&signals, left, &isKernels)
            guard number > 0 else {
                if end == nil { continue }
                return nil
            }
            guard let relay, relay.take(number, isKernels: isKernels != 0) else { return number }
            guard number == SIGTSTP else { continue }
            usleep(SignalRelay.delivery)
            clinux_stop_as_usual()
        }
    }
}
