internal import GuestMemory
internal import VhostVDPA

/// A benchmark's results as `emu cycle --json` prints them. Times are in microseconds.
package struct CycleReport: Codable, Equatable, Sendable {
    /// The mean of what one cycle sends.
    package struct PerCycle: Codable, Equatable, Sendable {
        package var updates: Double
        package var invalidates: Double
        package var batches: Double
        package var ioctls: Double
    }

    /// One strategy with one size of memory.
    package struct Result: Codable, Equatable, Sendable {
        package var strategy: CycleStrategy
        package var device: String
        package var memoryBytes: UInt64
        package var pageKind: String
        package var pinned: Bool
        package var regions: Int
        package var queuePairs: Int
        /// `null` where the kernel does not show them.
        package var contiguousRuns: Int?
        /// Whether the memory is a size on paper, mapped and never touched, as the machine does not have it.
        package var modelled: Bool
        /// How many cycles the percentiles are of.
        package var cycles: Int
        package var cycle: CycleTimes
        /// Under traffic, from the last frame before to the first one after; `null` where it was not measured.
        package var downtime: CycleTimes?
        /// The same cycles, from SUSPEND (or the reset, without it) to the end of the last VRING_ENABLE, DRIVER_OK
        /// or RESUME: the measure that QEMU's developers use.
        package var suspendToEnable: CycleTimes?
        /// How many cycles these two are of.
        package var downtimeCycles: Int
        /// The median of each phase.
        package var phases: [String: Double]
        package var perCycle: PerCycle

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(strategy, forKey: .strategy)
            try container.encode(device, forKey: .device)
            try container.encode(memoryBytes, forKey: .memoryBytes)
            try container.encode(pageKind, forKey: .pageKind)
            try container.encode(pinned, forKey: .pinned)
            try container.encode(regions, forKey: .regions)
            try container.encode(queuePairs, forKey: .queuePairs)
            // Present in every result, so that a reader of the schema finds it.
            try container.encode(contiguousRuns, forKey: .contiguousRuns)
            try container.encode(modelled, forKey: .modelled)
            try container.encode(cycles, forKey: .cycles)
            try container.encode(cycle, forKey: .cycle)
            try container.encode(downtime, forKey: .downtime)
            try container.encode(suspendToEnable, forKey: .suspendToEnable)
            try container.encode(downtimeCycles, forKey: .downtimeCycles)
            try container.encode(phases, forKey: .phases)
            try container.encode(perCycle, forKey: .perCycle)
        }
    }

    /// What was asked, of which version, and when.
    package var command: String
    package var version: String
    package var date: String
    package var machine: HostFacts
    /// Whether somebody asked the benchmark to end before its end: then this is what there was.
    package var interrupted: Bool
    package var results: [Result]
    /// First maps beside io_uring's registration of the same memory.
    package var firstMaps: [FirstMap]
    /// What was asked for and not measured.
    package var skipped: [CycleOutcome.Skip]
    /// What was wrong with the device.
    package var problems: [String]
    /// What else the machine did, one for each size.
    package var loads: [MachineLoad]
    /// What to know before trusting a time: a machine that was busy, times of two kinds, memory that is modelled.
    package var remarks: [String]
    /// The results beside a baseline's; `nil` where none was given.
    package var baseline: BaselineComparison?

    package init(_ outcome: CycleOutcome) {
        command = outcome.command
        version = outcome.version
        date = outcome.date
        machine = outcome.machine
        interrupted = outcome.isInterrupted
        results = outcome.series.compactMap(Result.init)
        firstMaps = outcome.firstMaps
        skipped = outcome.skips
        problems = outcome.problems
        loads = outcome.loads
        remarks = outcome.remarks + CycleRemarks.of(results, loads)
        baseline = outcome.baseline.map { BaselineComparison(results, on: machine, beside: $0) }
    }
}

extension CycleReport.Result {
    /// `nil` of a series without a whole cycle.
    init?(_ series: CycleSeries) {
        guard let cycle = CycleTimes(series.cycles) else { return nil }
        self.cycle = cycle
        let setup = series.setup
        strategy = series.strategy
        device = setup.device
        memoryBytes = setup.memory.rawValue
        pageKind = setup.pages.rawValue
        pinned = setup.isPinned
        regions = setup.regions
        queuePairs = setup.queuePairs
        contiguousRuns = setup.contiguousRuns
        modelled = setup.isModelled
        cycles = series.cycles.count
        downtime = .init(series.downtimes)
        suspendToEnable = .init(series.spans)
        downtimeCycles = series.downtimes.count
        phases = Dictionary(
            uniqueKeysWithValues: CyclePhase.allCases.map {
                ($0.rawValue, series.phases[$0]?.percentile(50) ?? 0)
            })
        let all = Double(max(1, series.cycles.count + series.phaseCycles))
        perCycle = .init(
            updates: Double(series.counts.updates) / all,
            invalidates: Double(series.counts.invalidates) / all,
            batches: Double(series.counts.batches) / all, ioctls: Double(series.counts.ioctls) / all)
    }
}
