internal import ArgumentParser
internal import EmulatedMachine
internal import Logging
internal import SystemPackage
internal import VhostVDPAConformance

/// `emu check`: whether a device obeys the rules of vhost-vdpa.
struct CheckCommand: EmuCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Checks a device, simulated or real, against the rules of vhost-vdpa.",
        discussion: """
            Every rule opens the device anew, which resets it: nobody else may be using it. Rules that the device \
            cannot be asked are not applicable, with the reason, and never counted as passed; rules that could not be \
            asked for want of descriptors, memory or the like are counted apart and make the status 1. On a real device with \
            an IOMMU of its own and pinned memory, run as root: rules with traffic need a page's physical address \
            to be harmless. Ctrl-C ends it with what it has; rules that were not run make the status 1.
            """
    )

    @OptionGroup var deviceOption: DeviceOption
    @Option(
        help: ArgumentHelp("Only these rules, by number.", valueName: "n,n…"),
        transform: { (text) throws(ArgumentError) in try RuleSelection(parsing: text) })
    var only: RuleSelection?
    @Flag(help: "Print the rules as a document (docs/rules.md), with --json as an object, and check nothing.")
    var list = false
    @Option(
        help: ArgumentHelp(
            "Print what each real kernel does with each rule, as a document (docs/rules-on-kernels.md), and check nothing:"
                + " from what scripts/test-kernel --steps 60 --keep leaves in this folder.",
            valueName: "folder"),
        completion: .directory)
    var table: String?
    @Option(
        help: ArgumentHelp(
            "Instead of the rules: this many random sequences of map operations, each on a fresh simulated device,"
                + " compared with plain arrays.", valueName: "count"),
        transform: WholeNumber.read)
    var sequences: Int?
    @Option(
        help: "The seed of the first sequence (default: 1); the next ones follow it. Only with --sequences.",
        transform: WholeNumber.read)
    var seed: UInt64?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let table { try checkTable(table) }
        if list {
            guard only == nil else {
                throw ValidationError("--only with --list: the list has all rules; leave one of them out")
            }
            guard deviceOption.device == .standard else {
                throw ValidationError(
                    "--device with --list: the list is the same for every device; leave --device out")
            }
        }
        guard let sequences else {
            guard seed == nil else {
                throw ValidationError(
                    "--seed is the seed of the first sequence; give --sequences too, or leave it out")
            }
            return
        }
        guard sequences > 0 else {
            throw ValidationError("--sequences \(sequences): there is nothing to run; use 1 or more")
        }
        guard !list, only == nil else { throw ValidationError("--sequences goes without --list and --only") }
    }

    /// The results are what they are: nothing else has a say in the table.
    private func checkTable(_ folder: String) throws {
        let others = [
            ("--device", deviceOption.device != .standard), ("--only", only != nil), ("--list", list),
            ("--sequences", sequences != nil), ("--seed", seed != nil), ("--json", output.json),
        ]
        if let (other, _) = others.first(where: \.1) {
            throw ValidationError(
                "\(other) with --table \(folder): the table is a document made of results that are there; leave \(other) out"
            )
        }
    }

    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        if let table {
            Console.output(try RulesTable(folder: FilePath(table)).document)
            return .done
        }
        if list {
            Console.output(output.json ? JSONText.encode(RuleListing()) : RuleBook.document)
            return .done
        }
        if let sequences { return try checkSequences(sequences, interrupt) }
        let report = try checkRules(interrupt)
        output.print(report.verdict)
        if output.json { Console.output(JSONText.encode(report)) }
        for problem in report.problems { Console.shared.print("emu: \(report.device): \(problem)") }
        return report.status
    }

    private func checkRules(_ interrupt: RunInterrupt) throws(StartError) -> CheckReport {
        let device = try CheckedDevice(
            deviceOption.device, logger: output.makeLogger(), interrupt: interrupt)
        let rules = RuleBook.rules(numbered: only?.numbers)
        let traits: DeviceTraits
        do throws(StartError) {
            traits = try device.traits()
        } catch {
            // It was there when it was first opened: that it is no more is something that was found.
            guard let failure = device.failure else { throw error }
            return CheckReport(
                device: deviceOption.device.description, results: [], asked: rules.count, problems: [failure])
        }
        let check = RuleCheck(
            device: deviceOption.device.description, opener: device.opener, traits: traits,
            interrupt: interrupt, failure: { device.failure })
        return check.run(rules, line: output.print)
    }

    private func checkSequences(
        _ count: Int, _ interrupt: RunInterrupt
    ) throws(StartError) -> ExitStatus {
        interrupt.enter("a sequence to end")
        output.makeLogger().info("comparing sequences", metadata: ["count": "\(count)"])
        let report = try SequenceReport(
            deviceOption.device, count: count, seed: seed ?? 1, interrupt: interrupt)
        output.print(report.text)
        if output.json { Console.output(JSONText.encode(report)) }
        return report.status
    }
}
