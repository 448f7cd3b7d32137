public import ArgumentParser
package import EmulatedMachine
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
            Sizes take K, M, G, T; times take \(Duration.unitNames). \(PortSpecification.help)

            The last line is the verdict and what it rests on. OK: every frame that entered has left, or is named: \
            dropped (no buffer, too long), or abandoned, which is a frame in a ring that started over because the \
            device could not say where it stood (no SUSPEND), or with a worker that stopped for good, which is WRONG: \
            whether it was sent nobody can tell. NOT SHOWN: \
            nothing was wrong, but no frame moved, none can come back, no stop took place, every frame was back before \
            the first one, or nobody could see a frame go out twice where ring positions were recovered. WRONG: status 1.

            --compare runs the same machine twice, one run after the other: with IOTLB_PERSIST where the device \
            offers it, then without. It prints both side by side. A TAP is opened by each run: its carrier drops \
            between them, and a peer may have to look for its neighbour again.

            Examples:
              emu run --memory 4G --cycles 100
              emu run --compare
              emu run --device /dev/vhost-vdpa-0 --duration 60s
              emu run --guest tap:ta@left --wire tap:tb@right --duration 60s

            Words: cycle, section, abandoned, parent, port and verdict are explained in emu(1) and docs/glossary.md.
            """
    )

    @OptionGroup var deviceOption: DeviceOption

    @Option(
        help: ArgumentHelp("Guest RAM (default: 1G).", valueName: "size"),
        transform: ByteCount.init(argument:))
    var memory: ByteCount = .gibibytes(1)

    @Option(help: "Huge pages for guest RAM; where there are none, RAM falls back and says so.")
    var hugePages: HugePages = .off

    @Option(
        help: ArgumentHelp("What feeds the guest's driver (default: generator).", valueName: "port"),
        completion: .list(PortSpecification.completions(at: .guest)),
        transform: PortSpecification.init(argument:))
    var guest: PortSpecification = .generator

    @Option(
        help: ArgumentHelp(
            "What stands at the end of a simulated device's wire (default: loopback).", valueName: "port"),
        completion: .list(PortSpecification.completions(at: .wire)),
        transform: PortSpecification.init(argument:))
    var wire: PortSpecification?

    @Option(
        help: ArgumentHelp(
            "Queue pairs, a thread each for the guest and for the device (default: what a simulated device has; a real one is driven with 1).",
            valueName: "n"), transform: WholeNumber.read)
    var queues: Int?

    @Option(
        help: ArgumentHelp(
            "End after this many stops and starts; 0 leaves the stops out (default: as many as there is time for).",
            valueName: "n"), transform: WholeNumber.read)
    var cycles: Int?

    @Option(
        help: ArgumentHelp(
            "Running time between a start and the next stop (default: 200ms).", valueName: "time"),
        transform: Duration.init(parsing:))
    var interval: Duration?

    @Option(
        help: ArgumentHelp(
            "End after this time, or before that when --cycles or --packets are done (default: 10s, and no limit with either).",
            valueName: "time"),
        transform: Duration.init(parsing:))
    var duration: Duration?

    @Option(
        help: ArgumentHelp(
            "Send exactly this many generated frames and end when they are back and --cycles done; sending fewer is WRONG.",
            valueName: "n"), transform: WholeNumber.read)
    var packets: UInt64?

    @Option(
        help: ArgumentHelp(
            "Length of generated frames, \(RunOptions.frameSizes.lowerBound) to \(RunOptions.frameSizes.upperBound) (default: 64).",
            valueName: "bytes"), transform: WholeNumber.read)
    var frameSize: Int?

    @Option(
        help: """
            auto keeps the maps where IOTLB_PERSIST is negotiated; off never acknowledges it; force keeps them \
            without it, to show what breaks (simulated devices only) (default: auto).
            """)
    var persist: PersistPolicy?

    @Option(
        help: """
            What becomes of rings when a stop does not say where they stand: start-over empties them, recover goes on \
            from their used index, as QEMU does. After a device that asked for a reset, and where a device has broken a \
            ring or does not take a ring's position (vp_vdpa), they start over all the same.
            """)
    var lostRings: LostRings = .startOver

    @Flag(help: "Run twice, with IOTLB_PERSIST and without, and print both side by side.")
    var compare = false

    @OptionGroup var recordOption: RecordOption

    @OptionGroup var output: OutputOptions

    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        let options = try options()
        let recording = try recordOption.recording(of: options.device)
        let session = RunSession(
            options: options, output: output, interrupt: interrupt, recorder: recording?.recorder)
        let status = try compare ? CompareSession(session).run() : session.run()
        return recording?.end(status) ?? status
    }
}

extension PersistPolicy: ExpressibleByArgument {}

extension LostRings: ExpressibleByArgument {}
