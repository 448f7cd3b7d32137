import GuestMemory
import VhostVDPA

@testable import CycleBenchmark

/// An outcome in which every number is another one.
enum FixedOutcome {
    static let memory = ByteCount.mebibytes(256)

    /// Microseconds as nanoseconds.
    static func samples(_ microseconds: [UInt64]) -> Samples { Samples(microseconds.map { $0 * 1000 }) }

    static func setup(_ memory: ByteCount = memory, isModelled: Bool = false) -> CycleSetup {
        CycleSetup(
            device: "sim,use-va=off", memory: memory, pages: .base, isPinned: true, regions: 6, queuePairs: 3,
            contiguousRuns: isModelled ? nil : 1234, isModelled: isModelled)
    }

    /// remap takes 800 µs where persist takes 20: forty times as long. Their downtimes are 7000 and 500 µs, from suspend
    /// to enable 6000 and 300.
    static func series(_ strategy: CycleStrategy, _ setup: CycleSetup = setup()) -> CycleSeries {
        var series = CycleSeries(strategy, setup)
        let isRemap = strategy == .remap
        series.cycles = samples(isRemap ? [700, 800, 900] : [10, 20, 30])
        series.downtimes = samples(isRemap ? [7000, 7001] : [500, 501])
        series.spans = samples(isRemap ? [6000, 6001] : [300, 301])
        series.phases = [.reset: samples([isRemap ? 41 : 4]), .map: samples([isRemap ? 650 : 0])]
        series.phaseCycles = 1
        series.counts.updates = isRemap ? 24 : 0
        series.counts.invalidates = isRemap ? 28 : 0
        series.counts.batches = isRemap ? 8 : 0
        series.counts.ioctls = isRemap ? 80 : 76
        return series
    }

    static var outcome: CycleOutcome {
        var outcome = CycleOutcome(
            machine: HostFacts(
                kernel: "Linux 6.12", processor: "Test", processors: 2, memoryBytes: 1 << 34,
                clockSource: "tsc"), command: "emu cycle --device 'sim,use-va=off'", version: "9.8.7",
            date: "2026-11-26 06:05 UTC", loadAverage: 0.25)
        outcome.hasBegun = true
        outcome.series = [series(.remap), series(.persist)]
        outcome.firstMaps = [
            FirstMap(
                setup(), maps: samples([90_000, 80_000, 70_000]),
                registrations: samples([30_000, 20_000, 10_000]),
                obstacle: nil)
        ]
        return outcome
    }

    /// Load by others.
    static func load(_ others: Double) -> MachineLoad {
        MachineLoad(
            memoryBytes: memory.rawValue, processors: 2, loadAverage: 0.25, otherProcessors: others,
            preemptions: 3, cycles: 8)
    }
}
