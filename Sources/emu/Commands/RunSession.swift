internal import DeviceScripts
internal import EmulatedMachine
internal import GuestMemory
internal import Logging

/// One `emu run` from checked options to exit status.
struct RunSession {
    var options: RunOptions
    let output: OutputOptions
    let interrupt: RunInterrupt
    /// Writes down what is done to the device, where that is asked for.
    var recorder: ScriptRecorder?

    /// Runs the machine and reports.
    func run() throws(StartError) -> ExitStatus {
        let report = try measure()
        // The object first: the summary's verdict is no OK where the result is lost.
        if output.json { Console.output(JSONText.encode(report)) }
        output.print(RunSummary(report, isLost: output.json && Console.lostResult != nil).text)
        if let reason = report.breakOff { Console.shared.print("emu: \(reason)") }
        return report.status
    }

    /// Assembles the machine, runs it and closes it. `name` says which of several runs this is, to whoever watches.
    ///
    /// A failure before the device has started for the first time is a ``StartError``. A later one is something
    /// the run found.
    func measure(name: String? = nil) throws(StartError) -> RunReport {
        let progress = LiveProgress(console: .shared, name: name)
        defer { progress.end() }
        do throws(MachineError) {
            if let name { recorder?.comment(name) }
            let machine = try EmulatedMachine(
                options.machine, logger: output.makeLogger(),
                hook: recorder?.record ?? EmulatedMachine.unhooked)
            // Closed before anything is reported: who removes the device waits for that.
            defer { machine.close() }
            let run = MachineRun(machine, plan: options.plan, interrupt: interrupt, observer: progress)
            let sections = machine.memory.addressSpace.view.sections.count { $0.backing != .device }
            return RunReport(try run.run(), options: options, sections: sections)
        } catch {
            throw StartError("\(error)")
        }
    }
}
