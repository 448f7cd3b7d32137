internal import EmulatedMachine
internal import GuestMemory
internal import Logging

/// One `emu run` from checked options to exit status.
struct RunSession {
    let options: RunOptions
    let output: OutputOptions

    /// Assembles the machine, runs it and reports.
    ///
    /// A failure before the device has started for the first time is a ``StartError``. A later one is something
    /// the run found.
    func run() throws(StartError) -> ExitStatus {
        let interrupt = try makeInterrupt()
        let progress = LiveProgress(console: .shared)
        defer { progress.end() }
        do throws(MachineError) {
            let machine = try EmulatedMachine(options.machine, logger: output.makeLogger())
            defer { machine.close() }
            let run = MachineRun(machine, plan: options.plan, interrupt: interrupt, observer: progress)
            let sections = machine.memory.addressSpace.view.sections.count { $0.backing != .device }
            let report = RunReport(try run.run(), options: options, sections: sections)
            progress.end()
            output.print(RunSummary(report).text)
            if output.json { Console.output(JSONText.encode(report)) }
            return report.status
        } catch {
            progress.end()
            guard progress.hasStarted else { throw StartError("\(error)") }
            output.print("FAILED: the run broke off: \(error)")
            if output.json { Console.output(JSONText.encode(["error": "\(error)"])) }
            return .foundSomethingWrong
        }
    }

    /// Signals are blocked before the machine makes its threads, which then have them blocked too.
    private func makeInterrupt() throws(StartError) -> RunInterrupt {
        do throws(MachineError) {
            let interrupt = try RunInterrupt()
            try TerminationSignals.forward(to: interrupt)
            return interrupt
        } catch {
            throw StartError("\(error)")
        }
    }
}
