internal import DeviceScripts
internal import EmulatedMachine
internal import Logging
internal import VhostVDPAConformance

/// One `emu check` of a device, or of every kind of simulated one, from checked options to exit status.
struct CheckSession {
    let output: OutputOptions
    let interrupt: RunInterrupt

    // MARK: The rules

    /// Asks a device for `rules`, with a line for each. `recorder` writes down how.
    func check(
        _ device: DeviceSpecification, _ rules: [Rule], recorder: ScriptRecorder? = nil
    ) throws(StartError) -> ExitStatus {
        let report = try report(device, rules, recorder, line: output.print)
        output.print(report.verdict)
        if output.json { Console.output(JSONText.encode(report)) }
        for problem in report.problems { Console.shared.print("emu: \(report.device): \(problem)") }
        return report.status
    }

    /// Asks each of `devices` for `rules`, with a line for each device and each rule that is not as it should be.
    ///
    /// Where the first cannot be asked nothing ran: a ``StartError``. A later one is something that was found.
    func check(all devices: [DeviceSpecification], _ rules: [Rule]) throws(StartError) -> ExitStatus {
        var reports: [CheckReport] = []
        for device in devices {
            guard reports.isEmpty || !interrupt.wasRaised else { break }
            let report: CheckReport
            do throws(StartError) {
                report = try self.report(device, rules, nil, line: { _ in })
            } catch {
                guard !reports.isEmpty else { throw error }
                report = CheckReport(
                    device: device.description, results: [], asked: rules.count, problems: [error.description]
                )
            }
            output.print(
                (report.rules.compactMap(CheckLine.complaint) + [report.verdict]).joined(separator: "\n"))
            reports.append(report)
        }
        let all = AllCheckReport(reports, notChecked: devices.dropFirst(reports.count).map(\.description))
        output.print(all.verdict)
        if output.json { Console.output(JSONText.encode(all)) }
        return all.status
    }

    private func report(
        _ specification: DeviceSpecification, _ rules: [Rule], _ recorder: ScriptRecorder?,
        line: (String) -> Void
    ) throws(StartError) -> CheckReport {
        let device = try CheckedDevice(
            specification, logger: output.makeLogger(), interrupt: interrupt, recorder: recorder)
        recorder?.comment("what the device is")
        let traits: DeviceTraits
        do throws(StartError) {
            traits = try device.traits()
        } catch {
            // It was there when it was first opened: that it is no more is something that was found.
            guard let failure = device.failure else { throw error }
            return CheckReport(
                device: specification.description, results: [], asked: rules.count, problems: [failure])
        }
        let check = RuleCheck(
            device: specification.description, opener: device.opener, traits: traits, interrupt: interrupt,
            failure: { device.failure },
            willAsk: { recorder?.comment("rule \($0.number): \($0.title)") })
        return check.run(rules, line: line)
    }

    // MARK: Random sequences

    /// Compares `count` sequences on a device.
    func compare(_ device: DeviceSpecification, count: Int, seed: UInt64) throws(StartError) -> ExitStatus {
        begin(count)
        let report = try SequenceReport(device, count: count, seed: seed, interrupt: interrupt)
        output.print(report.text)
        if output.json { Console.output(JSONText.encode(report)) }
        return report.status
    }

    /// Compares `count` sequences, as many on each of `devices`, each with the seeds that come after the one's before.
    ///
    /// Where the first device cannot be made nothing ran: a ``StartError``. A later one ends it with what there is.
    func compare(all devices: [DeviceSpecification], count: Int, seed: UInt64) throws(StartError)
        -> ExitStatus
    {
        begin(count)
        let share = AllSequencesReport.share(of: count, kinds: devices.count)
        var reports: [SequenceReport] = []
        var problems: [String] = []
        for (index, device) in devices.enumerated() {
            guard reports.isEmpty || !interrupt.wasRaised, problems.isEmpty else { break }
            do throws(StartError) {
                let report = try SequenceReport(
                    device, count: share, seed: seed &+ UInt64(index) &* UInt64(share), interrupt: interrupt)
                output.print(report.text)
                reports.append(report)
            } catch {
                guard !reports.isEmpty else { throw error }
                problems.append("\(device): \(error)")
            }
        }
        let left = devices.dropFirst(reports.count).map(\.description)
        let all = AllSequencesReport(reports, notChecked: left, problems: problems)
        output.print(all.verdict)
        if output.json { Console.output(JSONText.encode(all)) }
        for problem in problems { Console.shared.print("emu: \(problem)") }
        return all.status
    }

    private func begin(_ count: Int) {
        interrupt.enter("a sequence to end")
        output.makeLogger().info("comparing sequences", metadata: ["count": "\(count)"])
    }
}
