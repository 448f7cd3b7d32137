import GuestMemory
import Testing
import VhostVDPA

@testable import CycleBenchmark
@testable import emu

/// From an outcome in which every number is another one to the table that people read.
@Suite("emu cycle: its table")
struct CycleSummaryTests {
    private static func samples(_ microseconds: [UInt64]) -> Samples {
        Samples(microseconds.map { $0 * 1000 })
    }

    private static func series(_ strategy: CycleStrategy, isModelled: Bool = false) -> CycleSeries {
        let setup = CycleSetup(
            device: "sim,use-va=off", memory: .mebibytes(256), pages: .base, isPinned: true, regions: 6,
            queuePairs: 3, contiguousRuns: 1234, isModelled: isModelled)
        var series = CycleSeries(strategy, setup)
        let isRemap = strategy == .remap
        series.cycles = samples(isRemap ? [700, 800, 900] : [10, 20, 30])
        series.downtimes = samples(isRemap ? [7000, 7001] : [500, 501])
        series.spans = samples(isRemap ? [6000, 6001] : [300, 301])
        series.phases = [.reset: samples([isRemap ? 41 : 4]), .map: samples([isRemap ? 650 : 0])]
        series.phaseCycles = 1
        series.counts.updates = isRemap ? 24 : 0
        series.counts.invalidates = isRemap ? 28 : 0
        series.counts.ioctls = isRemap ? 80 : 76
        return series
    }

    private static var outcome: CycleOutcome {
        var outcome = CycleOutcome(
            machine: HostFacts(
                kernel: "Linux 6.12", processor: "Test", processors: 2, memoryBytes: 1 << 34,
                clockSource: "tsc"), loadAverage: 0.25)
        outcome.series = [series(.remap), series(.persist)]
        outcome.firstMaps = [
            FirstMap(
                series(.persist).setup, maps: samples([90_000, 80_000, 70_000]),
                registrations: samples([30_000, 20_000, 10_000]), obstacle: nil)
        ]
        return outcome
    }

    private static func text(_ outcome: CycleOutcome) -> String {
        CycleSummary(report: CycleReport(outcome)).text
    }

    /// The cells of the first line that begins with `size` and holds `name`, below the line with `head`.
    private static func cells(_ head: String, _ size: String, _ name: String, in text: String) -> [String] {
        let lines = text.split(separator: "\n").drop { !$0.contains(head) }.dropFirst()
        let line = lines.first { $0.contains(size) && $0.contains(name) } ?? ""
        return line.split(separator: " ").map(String.init)
    }

    @Test("every number stands below its head: times, counts and how often persist goes into each")
    func table() {
        let text = Self.text(Self.outcome)
        #expect(
            Self.cells("× PERSIST", "256M", "remap", in: text)
                == "256M base 1,234 remap 800 µs – 900 µs 3 40 6 7 20".split(separator: " ").map(String.init))
        #expect(
            Self.cells("× PERSIST", "256M", "persist", in: text)
                == "256M base 1,234 persist 20 µs – 30 µs 3 1 0 0 19".split(separator: " ").map(String.init))
        #expect(text.contains("SPREAD  MAXIMUM  CYCLES"))
    }

    @Test("downtime and suspend to enable stand apart")
    func downtimes() {
        let text = Self.text(Self.outcome)
        #expect(
            Self.cells("SUSPEND-ENABLE", "256M", "remap", in: text)
                == "256M remap 7 ms – 7 ms 6 ms 6 ms 2".split(separator: " ").map(String.init))
        #expect(
            Self.cells("SUSPEND-ENABLE", "256M", "persist", in: text)
                == "256M persist 500 µs – 501 µs 300 µs 301 µs 2".split(separator: " ").map(String.init))
    }

    @Test("phases and the first map are below their names")
    func rest() {
        let text = Self.text(Self.outcome)
        #expect(
            Self.cells("DRAIN", "256M", "remap", in: text)
                == "256M remap - - - - 41 µs - 650 µs - -".split(separator: " ").map(String.init))
        #expect(
            Self.cells("IO_URING REGISTERS", "256M", "1,234", in: text)
                == "256M 1,234 80 ms 20 ms 4".split(separator: " ").map(String.init))
    }

    @Test(
        "from a hundred cycles on the farthest time is the 99th percentile, below it the maximum by that name"
    )
    func farthest() {
        var outcome = Self.outcome
        outcome.series[0].cycles = Self.samples((1...200).map { $0 * 10 })
        let text = Self.text(outcome)
        #expect(text.contains("P99  CYCLES"))
        #expect(
            Self.cells("× PERSIST", "256M", "remap", in: text)[4...9] == [
                "1", "ms", "100", "%", "1.98", "ms",
            ])
        #expect(Self.cells("× PERSIST", "256M", "persist", in: text)[6...9] == ["–", "max", "30", "µs"])
    }

    @Test("what to know before trusting it stands below: skips, remarks, problems, an early end")
    func notes() {
        var outcome = Self.outcome
        outcome.series[1] = Self.series(.persist, isModelled: true)
        outcome.skips = [.init(memoryBytes: 100 << 40, strategy: nil, reason: "too large")]
        outcome.loads = [
            MachineLoad(
                memoryBytes: 256 << 20, processors: 2, loadAverage: 0, otherProcessors: 1.5, preemptions: 0,
                cycles: 8)
        ]
        outcome.problems = ["256M: the device went away"]
        outcome.isInterrupted = true
        let lines = Self.text(outcome).split(separator: "\n").map(String.init)
        #expect(lines.contains("skipped: 100T: too large"))
        #expect(lines.contains { $0.hasPrefix("note: 256 MiB: modelled: ") })
        #expect(lines.contains { $0.contains("256M (modelled)  base") })
        #expect(lines.contains { $0.hasPrefix("note: 256 MiB: the machine was busy: ") })
        #expect(lines.contains("WRONG: 256M: the device went away"))
        #expect(lines.last == "INTERRUPTED: this is what had been measured")
    }

    @Test("what was not measured has no table")
    func partial() {
        var outcome = Self.outcome
        outcome.firstMaps = []
        outcome.series = [outcome.series[0]]
        outcome.series[0].downtimes = Samples()
        outcome.series[0].spans = Samples()
        outcome.series[0].phases = [:]
        let text = Self.text(outcome)
        #expect(text.contains("× PERSIST"))
        for head in ["SUSPEND-ENABLE", "DRAIN", "IO_URING"] { #expect(!text.contains(head), "\(head)") }
        outcome.series = []
        #expect(!Self.text(outcome).contains("× PERSIST"))
    }
}
