package import GuestMemory
package import VhostVDPA

/// Everything measured of one strategy with one size of memory.
package struct CycleSeries: Sendable {
    package let strategy: CycleStrategy
    package let setup: CycleSetup
    /// The most samples kept of a phase, of which only the median is told.
    private static let phaseLimit = 4096
    /// Whole cycles.
    package var cycles = Samples()
    /// Cycles that were measured phase by phase, each phase's time.
    package var phases: [CyclePhase: Samples] = [:]
    /// How many those were.
    package var phaseCycles = 0
    /// Cycles under traffic: from the last frame seen before to the first one after.
    package var downtimes = Samples()
    /// The same cycles: from the first device call to the end of the last that enables a queue.
    package var spans = Samples()
    /// The device calls of all cycles with idle queues, whole and phase by phase.
    package var counts = DeviceCallCounts()

    package init(_ strategy: CycleStrategy, _ setup: CycleSetup) {
        self.strategy = strategy
        self.setup = setup
    }

    /// Takes one cycle in.
    package mutating func add(
        _ timing: CycleTiming, _ calls: DeviceCallCounts, _ purpose: CycleSchedule.Turn.Purpose
    ) {
        switch purpose {
        case .warmUp: return
        case .traffic:
            if let span = timing.span { spans.append(span) }
            return
        case .whole: cycles.append(timing.total)
        case .phases:
            phaseCycles += 1
            // A phase that a cycle does not have took no time in it.
            for phase in CyclePhase.allCases {
                phases[phase, default: Samples(limit: Self.phaseLimit)].append(timing.phases[phase] ?? 0)
            }
        }
        counts.ioctls += calls.ioctls
        counts.updates += calls.updates
        counts.invalidates += calls.invalidates
        counts.batches += calls.batches
    }
}

/// What a series was measured with.
package struct CycleSetup: Hashable, Sendable {
    /// The device as the caller names it.
    package let device: String
    package let memory: ByteCount
    /// The pages that guest RAM really has.
    package let pages: PageKind
    /// Whether the device's maps pin memory.
    package let isPinned: Bool
    /// Sections of guest memory that are mapped.
    package let regions: Int
    package let queuePairs: Int
    /// Physically contiguous runs of guest memory; `nil` where the kernel does not show them.
    package let contiguousRuns: Int?
    /// Whether the memory is a size on paper: mapped, and never touched.
    package let isModelled: Bool
}
