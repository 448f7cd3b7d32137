internal import ArgumentParser
internal import CycleBenchmark
internal import EmulatedMachine
internal import GuestMemory
internal import SystemPackage

/// `emu cycle`: what a stop and start costs.
struct CycleCommand: EmuCommand {
    static let configuration = CommandConfiguration(
        commandName: "cycle",
        abstract: "Measures what a stop and start costs, by memory size and by what is done about the maps.",
        discussion: """
            Strategies take turns, cycle by cycle, on one device with idle queues: remap (what every released \
            QEMU does: unmap all, map all), remap-verified (the device must answer for the maps), \
            remap-unbatched, persist (IOTLB_PERSIST keeps the maps), resume (SUSPEND and RESUME, no reset). \
            Half as many cycles are then done under traffic, for the downtime. Sizes the machine does not have \
            are skipped.
            """
    )

    @OptionGroup var deviceOption: DeviceOption

    @Option(
        help: ArgumentHelp("Sizes of guest RAM, with commas between them.", valueName: "sizes"),
        transform: ByteCount.list(argument:))
    var memory: [ByteCount] = [.gibibytes(1), .gibibytes(4)]

    @Option(
        help: ArgumentHelp(
            "What to compare, with commas between them (default: remap,persist,resume).",
            valueName: "strategies"),
        transform: CycleStrategy.list(argument:))
    var strategy: [CycleStrategy] = [.remap, .persist, .resume]

    @Option(help: ArgumentHelp("Cycles of each strategy and size.", valueName: "n"))
    var cycles = 100

    @Option(help: "Huge pages for guest RAM; where there are none, RAM falls back and says so.")
    var hugePages: HugePages = .off

    @Option(
        help: ArgumentHelp(
            "Regions that guest memory is mapped in, 1 to 512 (default: what a PC has, 6 or 7).",
            valueName: "n"))
    var regions: Int?

    @Flag(help: "Leave guest RAM in single pages, each apart from the one before it.")
    var fragmented = false

    @Option(
        help: ArgumentHelp(
            "Queue pairs (default: what a simulated device has; a real one is driven with 1).", valueName: "n"
        ))
    var queues: Int?

    @Option(
        help: ArgumentHelp(
            "Write a page with plots (index.html), the first of them alone (cycles.svg) and the raw data (cycles.csv) into this folder.",
            valueName: "dir"))
    var report: String?

    @OptionGroup var output: OutputOptions

    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        let plan = try plan()
        let folder = try report.map { (path) throws(StartError) in try CycleReportFolder(path: path) }
        let progress = CycleProgress(console: .shared)
        defer { progress.end() }
        let outcome: CycleOutcome
        do throws(MachineError) {
            outcome = try CycleBenchmark(plan, logger: output.makeLogger(), observer: progress).run()
        } catch {
            guard progress.hasStarted else { throw StartError("\(error)") }
            progress.end()
            output.print("FAILED: the benchmark broke off: \(error)")
            if output.json { Console.output(JSONText.encode(["error": "\(error)"])) }
            return .foundSomethingWrong
        }
        progress.end()
        return try present(outcome, in: folder)
    }

    private func present(
        _ outcome: CycleOutcome, in folder: CycleReportFolder?
    ) throws(StartError) -> ExitStatus {
        let report = CycleReport(outcome)
        guard !report.results.isEmpty else {
            throw StartError(
                "nothing could be measured: \(report.skipped.first?.reason ?? "no size is left")")
        }
        output.print(CycleSummary(report: report).text)
        if output.json { Console.output(JSONText.encode(report)) }
        do throws(Errno) {
            try folder?.write(outcome)
        } catch {
            output.print("FAILED: the report could not be written: \(error)")
            return .foundSomethingWrong
        }
        return report.problems.isEmpty ? .done : .foundSomethingWrong
    }
}
