internal import ArgumentParser
internal import CycleBenchmark
internal import DeviceScripts
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
            Half as many cycles are then done under traffic, for the downtime. Guest memory is touched before it is \
            mapped; sizes the machine does not have are skipped, or modelled (--modelled). Ctrl-C ends it with what \
            it has.

            Examples:
              emu cycle --memory 256M,1G --report pages
              emu cycle --device /dev/vhost-vdpa-0 --memory 1G --strategy remap,persist
            """
    )

    @OptionGroup var deviceOption: DeviceOption

    @Option(
        help: ArgumentHelp(
            "Sizes of guest RAM, with commas between them (default: 1G,4G).", valueName: "sizes"),
        transform: ByteCount.list(argument:))
    var memory: [ByteCount] = [.gibibytes(1), .gibibytes(4)]

    @Option(
        help: ArgumentHelp(
            "What to compare, with commas between them (default: remap,persist,resume).",
            valueName: "strategies"),
        transform: CycleStrategy.list(argument:))
    var strategy: [CycleStrategy] = [.remap, .persist, .resume]

    @Option(
        help: ArgumentHelp("Cycles of each strategy and size (default: 100).", valueName: "n"),
        transform: WholeNumber.read)
    var cycles = 100

    @Option(help: "Huge pages for guest RAM; where there are none, RAM falls back and says so.")
    var hugePages: HugePages = .off

    @Option(
        help: ArgumentHelp(
            "Regions that guest memory is mapped in, 1 to 512 (default: what a PC has, 6 or 7).",
            valueName: "n"), transform: WholeNumber.read)
    var regions: Int?

    @Flag(help: "Leave guest RAM in single pages, each apart from the one before it.")
    var fragmented = false

    @Flag(
        help:
            "Measure sizes that the machine does not have with memory that is mapped and never touched, and mark them as modelled; simulated devices that pin nothing only."
    )
    var modelled = false

    @Option(
        help: ArgumentHelp(
            "Queue pairs (default: what a simulated device has; a real one is driven with 1).", valueName: "n"
        ), transform: WholeNumber.read)
    var queues: Int?

    @Option(
        help: ArgumentHelp(
            "Write a page with plots (index.html), the first of them alone (cycles.svg) and the raw data (cycles.csv) into this folder.",
            valueName: "dir"), completion: .directory)
    var report: String?

    @Option(
        help: ArgumentHelp(
            "Put the times beside those in this file: what an earlier 'emu cycle --json' printed, or lines of another program's results, each an object with strategy, memoryBytes and p50 in microseconds. The exit status does not depend on it.",
            valueName: "file"), completion: .file())
    var baseline: String?

    @OptionGroup var recordOption: RecordOption

    @OptionGroup var output: OutputOptions

    func execute(_ interrupt: RunInterrupt) throws(StartError) -> ExitStatus {
        try checkRecording()
        var plan = try plan()
        plan.version = Emu.configuration.version
        plan.command = ShellText.line(["emu"] + ProcessStart.arguments)
        plan.baseline = try baseline.map { (path) throws(StartError) in try BaselineFile(path: path).read() }
        let folder = try report.map { (path) throws(StartError) in
            try interrupt.undisturbed { () throws(StartError) in try CycleReportFolder(path: path) }
        }
        let recording = try recordOption.recording(of: deviceOption.device)
        let progress = CycleProgress(console: .shared, interrupt: interrupt)
        defer { progress.end() }
        var outcome: CycleOutcome
        do throws(MachineError) {
            outcome = try CycleBenchmark(
                plan, logger: output.makeLogger(), observer: progress, interrupt: interrupt,
                hook: recording?.recorder.record ?? EmulatedMachine.unhooked
            ).run()
        } catch {
            throw StartError("\(error)")
        }
        progress.end()
        guard outcome.hasBegun else {
            let reasons = outcome.skips.map { "\(ByteCount(rawValue: $0.memoryBytes)): \($0.reason)" }
            throw StartError("nothing could be measured: \(reasons.joined(separator: "; "))")
        }
        guard let recording else { return present(outcome, in: folder) }
        outcome.remarks.append(
            "the calls were recorded, which takes time: these times are not to be compared with others")
        return recording.end(present(outcome, in: folder))
    }

    /// Times of recorded calls stand in no page and beside no others.
    private func checkRecording() throws(StartError) {
        guard let file = recordOption.record else { return }
        for (other, isThere) in [("--report", report != nil), ("--baseline", baseline != nil)] where isThere {
            throw StartError(
                "\(other) with --record \(file): recording takes time, which the figures would have in them; leave one of"
                    + " them out")
        }
    }

    private func present(_ outcome: CycleOutcome, in folder: CycleReportFolder?) -> ExitStatus {
        let report = CycleReport(outcome)
        output.print(CycleSummary(report: report).text)
        if output.json { Console.output(JSONText.encode(report)) }
        if let failure = outcome.failure {
            Console.shared.print("emu: \(deviceOption.device): \(failure)")
        }
        if let folder {
            guard !report.results.isEmpty else {
                Console.shared.print("emu: --report \(folder.path): not written, as no cycle was measured")
                return .foundSomethingWrong
            }
            do throws(CycleReportFolder.Failure) {
                try folder.write(outcome)
            } catch {
                Console.shared.print("emu: --report \(folder.path): not written: \(error)")
                return .foundSomethingWrong
            }
        }
        return report.problems.isEmpty && !report.results.isEmpty ? .done : .foundSomethingWrong
    }
}

extension CycleReport: JSONResult {
    static var schema: JSONSchema { .cycle }
}
