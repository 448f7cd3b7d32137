internal import ArgumentParser
internal import ClientRules
internal import EmulatedMachine
internal import ForeignPrograms
internal import Glibc
internal import Logging
internal import SimulatedVDPA
internal import VirtioNet

/// `emu exec`: a program, unmodified, on simulated devices.
struct ExecCommand: EmuCommand {
    static let configuration = CommandConfiguration(
        commandName: "exec",
        abstract: "Runs a program that finds simulated devices at /dev/vhost-vdpa-0, -1, ….",
        discussion: """
            The program and what it starts see the devices, and nothing else changes for them; it needs no privilege. Its \
            exit status is emu's. docs/exec.md says what works and what does not.

            Examples:
              emu exec --device sim,parent=stateful -- ./my-vmm --vhost-vdpa /dev/vhost-vdpa-0
              emu exec -- emu check --device /dev/vhost-vdpa-0

            Words: parent and port are explained in emu(1) and docs/glossary.md.
            """
    )

    @Option(
        name: .customLong("device"),
        help: DeviceOption.help("sim[,key=value]…, once for each device (default: sim)."),
        transform: DeviceSpecification.init(parsing:))
    var devices: [DeviceSpecification] = []

    @Option(
        help: ArgumentHelp(
            "What stands at the end of each device's wire (default: loopback).", valueName: "port"),
        completion: .list(PortSpecification.completions(at: .wire)),
        transform: PortSpecification.init(argument:))
    var wire: PortSpecification?

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("The program and its arguments, behind '--'.", valueName: "program"))
    var program: [String] = []

    @OptionGroup var rules: ClientRuleOptions

    @Flag(help: "Print the rules for clients as a document (docs/client-rules.md), and run nothing.")
    var listRules = false

    @OptionGroup var output: OutputOptions

    /// The program's signals. A command is parsed from words, and nothing else is its own.
    private static let signals = SignalRelay()

    var relay: SignalRelay? { Self.signals }

    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        if listRules {
            Console.output(ClientRuleBook.document)
            return .done
        }
        guard !program.isEmpty else {
            throw StartError("which program? Put it behind '--', as in emu exec -- ./my-vmm")
        }
        guard !output.json else {
            throw StartError(
                "--json: standard output is the program's; --report FILE writes what was found of it as JSON")
        }
        let specifications = try (devices.isEmpty ? [.standard] : devices).map(simulated)
        try checkPort()
        try checkWires(specifications)
        let judgement = try rules.judgement(of: devices)
        let logger = output.makeLogger()
        let supervisor: ProgramSupervisor
        do {
            supervisor = try ProgramSupervisor(specifications, logger: logger) { specification in
                try WirePort(opening: wire ?? .loopback, queuePairs: specification.queuePairs) {
                    logger.warning("\($0)")
                }
            }
        } catch {
            throw StartError("\(error)")
        }
        do throws(PortError) {
            try supervisor.beginCaptures()
        } catch {
            throw StartError("\(error)")
        }
        interrupt.enter("the program to end")
        do throws(ForeignProgramError) {
            var found: [(path: String, report: ClientReport)] = []
            let end = try supervisor.run(
                program, signals: ProcessStart.inheritedSignals, watching: judgement.watching,
                passed: { Self.signals.passed() }, isInterrupted: { interrupt.wasRaised },
                judged: { found = $0 })
            switch end {
            case .status(let status): Glibc.exit(judgement.end(found, status: status))
            case .signal(let signal): Glibc.exit(judgement.end(found, status: 128 + signal))
            }
        } catch {
            throw StartError("\(error)")
        }
    }

    /// Throws where the port cannot stand at a wire.
    func checkPort() throws(StartError) {
        do throws(PortError) {
            try wire?.check(at: .wire)
        } catch {
            throw StartError("--wire \(wire.map { "\($0)" } ?? ""): \(error)")
        }
    }

    /// Throws where a device has no such wire, or would have to share what stands at its end.
    private func checkWires(_ specifications: [SimulatedDeviceSpecification]) throws(StartError) {
        guard let wire else { return }
        for (specification, device) in zip(specifications, devices)
        where !specification.profile.kind(for: specification).takesWire {
            throw StartError(
                "--wire \(wire) with \(device): the kernel's simulator has no wire, it loops frames back itself;"
                    + " leave --wire out")
        }
        guard specifications.count == 1 || wire.claims.isEmpty else {
            throw StartError(
                "--wire \(wire) with \(specifications.count) devices: it can stand at the wire of one; give one --device"
            )
        }
    }

    private func simulated(_ device: DeviceSpecification) throws(StartError) -> SimulatedDeviceSpecification {
        guard case .simulated(let specification) = device.kind else {
            throw StartError("--device \(device): a program is given simulated devices: use sim[,key=value]…")
        }
        try device.checkMachine()
        return specification
    }
}
