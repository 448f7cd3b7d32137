internal import ArgumentParser
internal import EmulatedMachine
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
            to be harmless. With --device all every kind of parent and of network card is checked with every kernel that has it, and \
            every parent once more with each other way of mapping and of resetting that it can have, one after the other: a line for each device and for each rule that is not as it should be. Ctrl-C ends it with what it has; rules that were not run make the status 1.

            Examples:
              emu check --device sim,kernel=6.1
              emu check --device /dev/vhost-vdpa-0 --json
              emu check --device all --sequences 10000 --seed 7
            """
    )

    @Option(
        help: DeviceOption.help(
            "sim[,key=value]…, /dev/vhost-vdpa-N, or all for every kind of simulated device in turn (default: sim)."
        ),
        completion: .list(["all", "sim", "/dev/vhost-vdpa-0"]), transform: CheckedKinds.init(parsing:))
    var device = CheckedKinds.standard
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
                + " compared with plain arrays; with --device all spread over every kind.", valueName: "count"
        ),
        transform: WholeNumber.read)
    var sequences: Int?
    @Option(
        help: "The seed of the first sequence (default: 1); the next ones follow it. Only with --sequences.",
        transform: WholeNumber.read)
    var seed: UInt64?
    @OptionGroup var recordOption: RecordOption

    @OptionGroup var output: OutputOptions

    func validate() throws {
        if let file = recordOption.record { try checkRecording(file) }
        if let table { try checkTable(table) }
        if list {
            guard only == nil else {
                throw ValidationError("--only with --list: the list has all rules; leave one of them out")
            }
            guard device == .standard else {
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

    /// A recording is of the rules, asked of one device.
    private func checkRecording(_ file: String) throws {
        let others = [
            ("--device all", device == .all, "a recording is of one device; name it"),
            ("--sequences", sequences != nil, "each sequence has a device of its own; leave one of them out"),
            ("--list", list, "no device is asked anything; leave one of them out"),
            ("--table", table != nil, "no device is asked anything; leave one of them out"),
        ]
        if let (other, _, reason) = others.first(where: \.1) {
            throw ValidationError("\(other) with --record \(file): \(reason)")
        }
    }

    /// The results are what they are: nothing else has a say in the table.
    private func checkTable(_ folder: String) throws {
        let others = [
            ("--device", device != .standard), ("--only", only != nil), ("--list", list),
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
        let session = CheckSession(output: output, interrupt: interrupt)
        let rules = RuleBook.rules(numbered: only?.numbers)
        switch (device, sequences) {
        case (.one(let device), let count?): return try session.compare(device, count: count, seed: seed ?? 1)
        case (.all, let count?):
            return try session.compare(all: CheckedKinds.forSequences, count: count, seed: seed ?? 1)
        case (.one(let device), nil):
            let recording = try recordOption.recording(of: device)
            let status = try session.check(device, rules, recorder: recording?.recorder)
            return recording?.end(status) ?? status
        case (.all, nil): return try session.check(all: CheckedKinds.forRules, rules)
        }
    }
}
