internal import EmulatedMachine
internal import VhostVDPABackend
internal import GuestMemory
internal import VhostVDPA
internal import VirtioNet

extension RunReport {
    /// The report of `result`, a run of `options` with `sections` of guest memory.
    init(_ result: RunResult, options: RunOptions, sections: Int) {
        let negotiated = result.negotiated
        device = options.device.description
        memoryBytes = options.machine.memory.rawValue
        queues = options.queues
        setup = Setup(
            guest: options.machine.guest.description,
            wire: options.device.isSimulated ? options.machine.wire.description : nil,
            persistPolicy: options.machine.persist.rawValue, interval: options.plan.interval.microseconds,
            sections: sections, features: "\(result.acceptedFeatures)",
            backendFeatures: "\(negotiated.acknowledgedBackendFeatures)")
        persist = Persist(
            offered: negotiated.offeredBackendFeatures.contains(.iotlbPersist),
            acknowledged: negotiated.acknowledgedBackendFeatures.contains(.iotlbPersist))
        cycles = result.cycles.count
        packets = Packets(result, options: options)
        iotlb = IOTLB(result)
        faults = result.faults
        recentFaults = Fault.summary(of: result.recentFaults)
        cycleTime = CycleTime(result.cycles.map(\.duration))
        let seconds = result.runningTime.seconds
        throughput = seconds > 0 ? (Double(packets.received) / seconds).rounded() : 0
        runningTime = result.runningTime.microseconds
        deviceErrors = result.device?.errors ?? 0
        driverErrors = result.received.errors + result.transmitted.errors
        unsent = result.frames.unsent
        recoveries = result.recoveries
        resources = Resources(result)
        interrupted = result.wasInterrupted
        problems = []
        problems = findProblems()
    }
}

extension RunReport.Packets {
    /// The generator's account where it sent, the driver's queues otherwise.
    fileprivate init(_ result: RunResult, options: RunOptions) {
        let isGenerated = options.machine.guest == .generator
        let frames = result.frames
        deviceDrops = result.device?.drops ?? 0
        sent = isGenerated ? frames.sent : result.transmitted.packets
        received = isGenerated ? frames.received : result.received.packets
        duplicated = frames.duplicated
        corrupted = frames.corrupted
        abandoned = frames.abandoned
        // What a named counter holds is not lost. Where frames do not come back, nothing can be said.
        let expectsReturn = !options.device.isSimulated || options.machine.wire == .loopback
        lost = isGenerated && expectsReturn ? frames.outstanding - min(frames.outstanding, deviceDrops) : 0
    }
}

extension RunReport.Resources {
    fileprivate init(_ result: RunResult) {
        let (first, last) = (result.firstResources, result.lastResources)
        if let a = first.pinned, let b = last.pinned { pinned = Pair(first: a.rawValue, last: b.rawValue) }
        if let a = first.descriptors, let b = last.descriptors {
            descriptors = Pair(first: UInt64(a), last: UInt64(b))
        }
    }
}

extension RunReport.IOTLB {
    fileprivate init(_ result: RunResult) {
        updates = result.counts.updates
        invalidates = result.counts.invalidates
        batches = result.counts.batches
        func mean(_ count: (CycleMeasurement) -> Int) -> Double {
            result.cycles.isEmpty
                ? 0 : Double(result.cycles.map(count).reduce(0, +)) / Double(result.cycles.count)
        }
        perCycle = PerCycle(updates: mean(\.counts.updates), invalidates: mean(\.counts.invalidates))
    }
}

extension RunReport.CycleTime {
    init(_ durations: [Duration]) {
        p50 = (Percentile.nearestRank(50, of: durations) ?? .zero).microseconds
        p99 = (Percentile.nearestRank(99, of: durations) ?? .zero).microseconds
    }
}

extension RunReport.Fault {
    /// Equal faults counted as one, the most frequent first.
    static func summary(of faults: [TranslationFault]) -> [Self] {
        let counts = Dictionary(faults.map { ($0, 1) }, uniquingKeysWith: +)
        return counts.sorted { ($1.value, $0.key.address) < ($0.value, $1.key.address) }
            .map { Self(address: "\($0.key.address)", access: $0.key.access.words, count: $0.value) }
    }
}

extension MemoryAccess {
    /// The access in words.
    fileprivate var words: String {
        switch self {
        case .read: "read"
        case .write: "write"
        default: "read and write"
        }
    }
}
