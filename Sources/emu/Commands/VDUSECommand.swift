internal import ArgumentParser
internal import EmulatedMachine
internal import VDUSE
internal import VirtioNet

/// `emu vduse`: a network card that the kernel's drivers use.
struct VDUSECommand: EmuCommand {
    static let configuration = CommandConfiguration(
        commandName: "vduse",
        abstract: "Serves a VDUSE device: Linux's own driver, or vhost-vdpa, uses emu's network card.",
        discussion: """
            Needs Linux 6.12 or later with the module vduse, and root. \(PortSpecification.help)

            The device is made as /dev/vduse/NAME. 'vdpa dev add mgmtdev vduse name NAME' attaches it; then it belongs to \
            virtio_vdpa, where it is a network interface, or to vhost_vdpa, where it is a /dev/vhost-vdpa-N. It is served \
            until a signal ends emu: SIGINT, SIGTERM.

            A device that is still attached then stays, with its driver, and the same command goes on with it. Without \
            anybody who serves it the driver's frames wait; the kernel gives the device up where it waits for an answer \
            longer than 30 s. To be rid of it: 'vdpa dev del NAME' while emu serves it, then end emu.

            Examples:
              emu vduse --name vduse0 &
              vdpa dev add mgmtdev vduse name vduse0
              emu vduse --name vduse0 --wire tap:tb@right

            Words: parent and port are explained in emu(1) and docs/glossary.md.
            """
    )

    @Option(
        help: ArgumentHelp(
            "What the device is called: letters, digits, '.', '_' and '-'.", valueName: "name"),
        transform: VDUSEName.init(argument:))
    var name: VDUSEName

    @Option(
        help: ArgumentHelp(
            "What stands at the end of the device's wire (default: loopback).", valueName: "port"),
        completion: .list(PortSpecification.completions(at: .wire)),
        transform: PortSpecification.init(argument:))
    var wire: PortSpecification = .loopback

    @OptionGroup var output: OutputOptions

    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        try checkPort()
        return try VDUSESession(name: name, wire: wire, output: output, interrupt: interrupt).run()
    }

    /// Throws where the port cannot stand at a wire.
    func checkPort() throws(StartError) {
        do throws(PortError) {
            try wire.check(at: .wire)
        } catch {
            throw StartError("--wire \(wire): \(error)")
        }
    }
}

extension VDUSEName {
    /// Reads `--name`.
    init(argument text: String) throws {
        guard let name = VDUSEName(text) else {
            throw ArgumentError(
                "'\(text)' is no name of a VDUSE device: use up to \(Self.byteLimit) letters, digits, '.', '_' and '-', as in"
                    + " 'vduse0'")
        }
        self = name
    }
}
