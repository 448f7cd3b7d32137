internal import EmulatedMachine
internal import VhostVDPABackend

/// One `emu run --compare` from checked options to exit status: the same machine twice, one run after the other.
struct CompareSession {
    /// The run with IOTLB_PERSIST.
    private let kept: RunSession
    private var output: OutputOptions { kept.output }
    private var interrupt: RunInterrupt { kept.interrupt }

    /// Two runs as `session` is one.
    init(_ session: RunSession) { kept = session }

    /// Runs the machine with IOTLB_PERSIST where the device offers it, then without, and reports.
    ///
    /// Where the first run cannot start nothing ran: a ``StartError``. Once it has, its report is never lost: not to a
    /// second run that cannot start, nor to a signal.
    func run() throws(StartError) -> ExitStatus {
        let kept = try session(.auto).measure(name: RunComparison.keptName)
        var notNegotiated: RunReport?
        var failure: String?
        if !interrupt.wasRaised {
            interrupt.enter("the second run's start")
            do throws(StartError) {
                notNegotiated = try session(.off).measure(name: RunComparison.notNegotiatedName)
            } catch {
                failure = error.description
            }
        }
        let comparison = RunComparison(kept: kept, notNegotiated: notNegotiated, failure: failure)
        // The object first: the summary's verdict is no OK where the result is lost.
        if output.json { Console.output(JSONText.encode(comparison)) }
        let summary = ComparisonSummary(comparison, isLost: output.json && Console.lostResult != nil)
        output.print(summary.text)
        for (name, report) in comparison.runs {
            if let reason = report.breakOff { Console.shared.print("emu: \(name): \(reason)") }
        }
        if let failure { Console.shared.print("emu: \(RunComparison.notNegotiatedName): \(failure)") }
        return comparison.status
    }

    private func session(_ persist: PersistPolicy) -> RunSession {
        var session = kept
        session.options.machine.persist = persist
        return session
    }
}
