internal import ArgumentParser
internal import EmulatedMachine
internal import VhostVDPAConformance

/// `emu check`: whether a device obeys the rules of vhost-vdpa.
struct CheckCommand: EmuCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a device, simulated or real, against the rules of vhost-vdpa.",
        discussion: """
            Every rule opens the device anew, which resets it: nobody else may be using it. Rules that the device \
            cannot be asked are not applicable, with the reason, and never counted as passed. On a real device with \
            an IOMMU of its own and pinned memory, run as root: rules with traffic need a page's physical address \
            to be harmless.
            """
    )

    @OptionGroup var deviceOption: DeviceOption
    @Option(
        help: ArgumentHelp("Only these rules, by number.", valueName: "n,n…"),
        transform: { (text) throws(ArgumentError) in try RuleSelection(parsing: text) })
    var only: RuleSelection?
    @Flag(help: "Print the rules as a document (docs/rules.md) and check nothing.")
    var list = false
    @Option(
        help: ArgumentHelp(
            "Instead of the rules: this many random sequences of map operations, each on a fresh simulated device,"
                + " compared with plain arrays.", valueName: "count"))
    var sequences: Int?
    @Option(help: "The seed of the first sequence; the next ones follow it.")
    var seed: UInt64 = 1
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard let sequences else { return }
        guard sequences > 0 else { throw ValidationError("--sequences must be above 0") }
        guard !list, only == nil else { throw ValidationError("--sequences goes without --list and --only") }
    }

    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        if list {
            Console.output(RuleBook.document)
            return .done
        }
        if let sequences { return try checkSequences(sequences) }
        let opener = try CheckedDevice(deviceOption.device, logger: output.makeLogger()).opener
        let traits: DeviceTraits
        do throws(RuleInterruption) {
            traits = try DeviceTraits.probe(opener)
        } catch {
            throw StartError("the device does not answer what every vhost-vdpa device does: \(error)")
        }
        var results: [(rule: Rule, outcome: RuleOutcome)] = []
        var topic: RuleTopic?
        for rule in RuleBook.rules(numbered: only?.numbers) {
            if rule.topic != topic { output.print(rule.topic.rawValue) }
            topic = rule.topic
            let outcome = rule.run(on: opener, traits: traits)
            output.print(CheckLine.text(rule, outcome))
            results.append((rule, outcome))
        }
        let report = CheckReport(device: deviceOption.device.description, results: results)
        output.print(
            "\(report.device): \(report.passed) passed, \(report.failed) failed,"
                + " \(report.notApplicable) not applicable")
        if output.json { Console.output(JSONText.encode(report)) }
        return report.failed == 0 ? .done : .foundSomethingWrong
    }

    private func checkSequences(_ count: Int) throws(StartError) -> ExitStatus {
        let report = try SequenceReport(deviceOption.device, count: count, seed: seed)
        output.print(report.text)
        if output.json { Console.output(JSONText.encode(report)) }
        return report.failure == nil ? .done : .foundSomethingWrong
    }
}
