internal import ArgumentParser
internal import DeviceScripts
internal import EmulatedMachine

/// `emu replay`: the calls of a script, on any device.
struct ReplayCommand: EmuCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Plays a script of device calls on a device, and says where its answers differ.",
        discussion: """
            A script has what a process does to a vhost-vdpa device, a call a line: docs/device-scripts.md. Every call is \
            printed with the device's answer, as a script again; an answer that is not what the script expects, or what the \
            device of --against gives, is marked DIFFERS and makes the status 1. The script is read whole before the first call. \
            It does to the device what it says: a real one should be nobody else's.

            Examples:
              emu replay start-and-stop.script --device /dev/vhost-vdpa-0
              emu replay start-and-stop.script --device /dev/vhost-vdpa-0 --against sim,profile=vdpasim-net
              emu replay bug.script --against sim,kernel=7.2 --minimise >shorter.script
            """
    )

    @Argument(
        help: ArgumentHelp("The script; - reads it from standard input.", valueName: "file"),
        completion: .file(extensions: ["script"]))
    var file: String?

    @OptionGroup var device: DeviceOption

    @Option(
        help: ArgumentHelp(
            "A second device, which plays the script afterwards: where the two part is a difference.",
            valueName: "spec"),
        completion: .list(["sim", "/dev/vhost-vdpa-0"]), transform: DeviceSpecification.init(parsing:))
    var against: DeviceSpecification?

    @Flag(help: "Print the fewest calls that still show a difference instead of the script.")
    var minimise = false

    @OptionGroup var output: OutputOptions

    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        guard let file else {
            throw StartError("emu replay plays a script; name its file, or - for standard input")
        }
        let script = try ScriptArgument.read(file)
        guard against != nil || script.lines.contains(where: { $0.expectation != nil }) || !minimise else {
            throw StartError(
                "--minimise \(file): the script expects no answers that could differ; name a second device with --against"
            )
        }
        let session = ReplaySession(
            device: device.device, against: against, isMinimised: minimise, output: output,
            interrupt: interrupt)
        return try session.run(script)
    }
}
