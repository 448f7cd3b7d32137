internal import EmulatedMachine
internal import Glibc
internal import VirtioNet

/// SIGINT and SIGTERM: the first asks the run to end with its summary, the second ends the process at once.
enum TerminationSignals {
    /// Blocks both signals in this thread and those it makes from now on, and has a thread of its own wait for
    /// them: no code runs in a signal handler, and no system call of the run is interrupted.
    static func forward(to interrupt: RunInterrupt) throws(MachineError) {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGINT)
        unsafe sigaddset(&signals, SIGTERM)
        let refused = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        guard refused == 0 else {
            throw .unsupported("SIGINT and SIGTERM could not be blocked (errno \(refused))")
        }
        let waited = signals
        do throws(VirtioNetError) {
            try WorkerThread.start(
                name: "emu-signals", setUp: { () throws(VirtioNetError) in waited },
                run: { signals in
                    guard wait(for: &signals) != nil else { return }
                    interrupt.raise()
                    guard let second = wait(for: &signals) else { return }
                    _exit(128 + second)
                })
        } catch {
            throw .network(error)
        }
    }

    private static func wait(for signals: inout sigset_t) -> Int32? {
        var signal: Int32 = 0
        return unsafe sigwait(&signals, &signal) == 0 ? signal : nil
    }
}
