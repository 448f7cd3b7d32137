internal import EmulatedMachine
internal import GuestMemory
internal import Logging

/// One `emu run` from checked options to exit status.
struct RunSession {
    let options: RunOptions
    let output: OutputOptions
    let interrupt: RunInterrupt

    /// Assembles the machine, runs it, closes it and reports.
    ///
    /// A failure before the device has started for the first time is a ``StartError``. A later one is something
    /// the run found.
    func run() throws(StartError) -> ExitStatus {
        let progress = LiveProgress(console: .shared)
        defer { progress.end() }
        let report: RunReport
        do throws(MachineError) {
            let machine = try EmulatedMachine(options.machine, logger: output.makeLogger())
            // Closed before anything is reported: who removes the device waits for that.
            defer { machine.close() }
            let run = MachineRun(machine, plan: options.plan, interrupt: interrupt, observer: progress)
            let sections = machine.memory.addressSpace.view.sections.count { $0.backing != .device }
            report = RunReport(try run.run(), options: options, sections: sections)
        } catch {
            throw StartError("\(error)")
        }
        progress.end()
        // The object first: the summary's verdict is no OK where the result is lost.
        if output.json { Console.output(JSONText.encode(report)) }
        output.print(RunSummary(report, isLost: output.json && Console.lostResult != nil).text)
        if let failure = failure(report) { Console.shared.print("emu: \(failure)") }
        return report.status
    }

    /// Why the run ended before its time through no wish of anybody's, in one line for standard error.
    private func failure(_ report: RunReport) -> String? {
        switch report.ending {
        case .deviceWentAway:
            "\(options.device): the device went away (vdpa dev del?): the run ended and closed it; add it again to go on"
        case .brokeOff: "\(options.device): the run broke off: \(report.failure ?? "")"
        case .done, .timeWasUp, .stalled, .interrupted: nil
        }
    }
}
