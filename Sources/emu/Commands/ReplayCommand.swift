internal import ArgumentParser
internal import DeviceScripts
internal import EmulatedMachine
internal import Glibc

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
              emu replay --random 1000 --device /dev/vhost-vdpa-0 --against sim,profile=vdpasim-net
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

    @Flag(
        help:
            "Say which rules for clients the script breaks, by the answers of --device (docs/client-rules.md)."
    )
    var rules = false

    @Flag(help: "Print the fewest calls that still show a difference instead of the script.")
    var minimise = false

    @Option(
        help: ArgumentHelp(
            "Instead of a file: this many scripts that are made up, each played on both devices (with --against)."
                + " They know what an owner, a batch, a running queue is, and break the rules on purpose now and then.",
            valueName: "count"), transform: WholeNumber.read)
    var random: Int?

    @Option(
        help: ArgumentHelp(
            "How long a script that is made up is at least (default: 300).", valueName: "count"),
        transform: WholeNumber.read)
    var calls: Int?

    @Option(
        help: "The seed of the first script that is made up; the next ones follow it (default: the time).",
        transform: WholeNumber.read)
    var seed: UInt64?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard let random else {
            if calls != nil || seed != nil {
                throw ValidationError(
                    "\(calls != nil ? "--calls" : "--seed") is of scripts that are made up; give --random too, or leave it out"
                )
            }
            return
        }
        guard random > 0 else {
            throw ValidationError("--random \(random): there is nothing to play; use 1 or more")
        }
        guard calls.map({ (1...100_000).contains($0) }) ?? true else {
            throw ValidationError("--calls \(calls ?? 0): a script has 1 to 100000 calls; use as many")
        }
        if let file {
            throw ValidationError("\(file) with --random: scripts are made up or read; leave one of them out")
        }
        if rules {
            throw ValidationError(
                "--rules with --random: a script that is made up breaks them on purpose; leave --rules out")
        }
        if minimise {
            throw ValidationError(
                "--minimise with --random: what differs is shown in short anyway; leave --minimise out")
        }
    }

    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        if let random { return try makeUp(random, interrupt) }
        guard let file else {
            throw StartError(
                "emu replay plays a script; name its file, - for standard input, or --random and how many to make up"
            )
        }
        let script = try ScriptArgument.read(file)
        guard against != nil || script.lines.contains(where: { $0.expectation != nil }) || !minimise else {
            throw StartError(
                "--minimise \(file): the script expects no answers that could differ; name a second device with --against"
            )
        }
        let session = ReplaySession(
            device: device.device, against: against, isMinimised: minimise, judges: rules, output: output,
            interrupt: interrupt)
        return try session.run(script)
    }

    private func makeUp(_ count: Int, _ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        guard let against else {
            throw StartError(
                "--random \(count): nobody knows what such a script is to answer but another device; name one with --against"
            )
        }
        let random = RandomReplay(
            device: device.device, against: against, count: count, callsEach: calls ?? 300,
            seed: seed ?? UInt64(max(0, time(nil))), output: output, interrupt: interrupt)
        return try random.run()
    }
}
