public import ArgumentParser
internal import EmulatedMachine
internal import GuestMemory
public import VhostVDPABackend
internal import VirtioNet

/// `emu run`: traffic through a device that is stopped and started again and again.
struct RunCommand: EmuCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract:
            "Runs traffic through a device while stopping and starting it, and accounts for every packet.",
        discussion: """
            Sizes take K, M, G, T; times take us, ms, s. A port is generator (guest), loopback (wire), \
            tap:NAME, tap:NAME@NETNS or none.
            """
    )

    @OptionGroup var deviceOption: DeviceOption

    @Option(
        help: ArgumentHelp("Guest RAM.", valueName: "size"), transform: ByteCount.init(argument:))
    var memory: ByteCount = .gibibytes(1)

    @Option(help: "Huge pages for guest RAM; where there are none, RAM falls back and says so.")
    var hugePages: HugePages = .off

    @Option(
        help: ArgumentHelp("What feeds the guest's driver.", valueName: "port"),
        transform: PortSpecification.init(argument:))
    var guest: PortSpecification = .generator

    @Option(
        help: ArgumentHelp(
            "What stands at the end of a simulated device's wire (default: loopback).", valueName: "port"),
        transform: PortSpecification.init(argument:))
    var wire: PortSpecification?

    @Option(
        help: ArgumentHelp(
            "Queue pairs, a thread each for the guest and for the device (default: what a simulated device has; a real one is driven with 1).",
            valueName: "n"))
    var queues: Int?

    @Option(help: ArgumentHelp("End after this many stops and starts.", valueName: "n"))
    var cycles: Int?

    @Option(
        help: ArgumentHelp("Running time between a start and the next stop.", valueName: "time"),
        transform: Duration.init(parsing:))
    var interval: Duration = .milliseconds(200)

    @Option(
        help: ArgumentHelp("End after this time; counts only without --cycles.", valueName: "time"),
        transform: Duration.init(parsing:))
    var duration: Duration = .seconds(10)

    @Option(
        help: ArgumentHelp(
            "Send exactly this many generated frames and end when they are back; --cycles 0 leaves the stops out.",
            valueName: "n"))
    var packets: UInt64?

    @Option(
        help: ArgumentHelp(
            "Length of generated frames, \(RunOptions.frameSizes.lowerBound) to \(RunOptions.frameSizes.upperBound).",
            valueName: "bytes"))
    var frameSize = 64

    @Option(
        help: """
            auto keeps the maps where IOTLB_PERSIST is negotiated; off never acknowledges it; force keeps them \
            without it, to show what breaks (simulated devices only).
            """)
    var persist: PersistPolicy = .auto

    @OptionGroup var output: OutputOptions

    func execute() throws(StartError) -> ExitStatus {
        try RunSession(options: options(), output: output).run()
    }
}

extension PersistPolicy: ExpressibleByArgument {}
