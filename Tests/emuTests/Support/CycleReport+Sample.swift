import GuestMemory
import VhostVDPA

@testable import CycleBenchmark

extension CycleReport {
    /// A benchmark that found everything that a report has room for.
    static var full: CycleReport { CycleReport(fullOutcome) }

    /// The same beside itself, as if it had been measured with another clock.
    static var besideBaseline: CycleReport {
        var report = full
        report.machine = HostFacts(
            kernel: "Linux 6.12", processor: "Test", processors: 2, memoryBytes: 1 << 34, clockSource: "hpet")
        var outcome = fullOutcome
        outcome.baseline = try? Baseline(report, file: "before.json")
        return CycleReport(outcome)
    }

    static var fullOutcome: CycleOutcome {
        // Two kinds of times, and enough of them for every percentile.
        let nanoseconds = (0..<200 as Range<UInt64>).map { $0 < 150 ? 100_000 + 10 * $0 : 900_000 + 10 * $0 }
        let times = Samples(nanoseconds)
        let setup = CycleSetup(
            device: "sim,use-va=off", memory: .mebibytes(256), pages: .base, isPinned: true, regions: 6,
            queuePairs: 3, contiguousRuns: 1234, isModelled: false)
        var series = CycleSeries(.remapVerified, setup)
        series.cycles = times
        series.downtimes = times
        series.spans = times
        series.phases = [.map: times]
        var outcome = CycleOutcome(
            machine: HostFacts(
                kernel: "Linux 6.12", processor: "Test", processors: 2, memoryBytes: 1 << 34,
                clockSource: "tsc"), command: "emu cycle", version: "9.8.7", loadAverage: 0.25)
        outcome.series = [series]
        outcome.firstMaps = [
            FirstMap(setup, maps: times, registrations: times, obstacle: "an obstacle")
        ]
        outcome.skips = [.init(memoryBytes: 100 << 40, strategy: .remapUnbatched, reason: "too large")]
        outcome.loads = [
            MachineLoad(
                memoryBytes: 256 << 20, processors: 2, loadAverage: 0.25, otherProcessors: 1.5,
                preemptions: 3, cycles: 8)
        ]
        outcome.problems = ["a problem"]
        return outcome
    }
}
