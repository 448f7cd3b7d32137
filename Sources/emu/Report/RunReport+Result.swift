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
        setup = Setup(options, result, sections: sections)
        persist = Persist(
            offered: negotiated.offeredBackendFeatures.contains(.iotlbPersist),
            acknowledged: result.acknowledgedBackendFeatures.contains(.iotlbPersist))
        cycles = result.cycles.count
        idleStops = result.idleStops
        failedSuspends = result.failedSuspends
        ringRecoveries = result.cycles.ringRecoveries
        ringRestarts = result.ringRestarts
        accounts = result.accounts.map(QueueAccount.init)
        packets = Packets(result, accounts, options: options)
        iotlb = IOTLB(result)
        faults = result.faults
        recentFaults = Fault.summary(of: result.recentFaults)
        cycleTime = CycleTime(result.cycles.durations)
        let seconds = result.times.traffic.seconds
        throughput = seconds > 0 ? (Double(packets.received) / seconds).rounded() : 0
        trafficTime = result.times.traffic.microseconds
        runningTime = result.times.running.microseconds
        wallTime = result.times.wall.microseconds
        deviceErrors = result.deviceErrors
        driverErrors = result.received.errors + result.transmitted.errors
        unsent = result.frames.unsent
        untaken = result.settlement.wasHurried ? 0 : result.settlement.standing
        recoveries = result.recoveries
        lostPorts = result.lostPorts.map(\.description)
        captures = result.captures.map(Capture.init)
        resources = Resources(result)
        processorWait = result.processorTime.map { ($0.waitingShare * 1000).rounded() / 1000 }
        (ending, failure) = Ending.of(result.ending)
        interrupted = result.ending == .interrupted
        verdict = .ok
        problems = []
        remarks = Self.remarks(on: result, queues: options.queues)
        judge(moved: result.movedPorts)
    }
}

extension RunReport.Setup {
    fileprivate init(_ options: RunOptions, _ result: RunResult, sections: Int) {
        let plan = options.plan
        guest = options.machine.guest.description
        wire = options.device.isSimulated ? options.machine.wire.description : nil
        persistPolicy = options.machine.persist.rawValue
        lostRings = options.machine.lostRings.rawValue
        interval = plan.interval.microseconds
        duration = plan.duration?.microseconds
        cycles = plan.cycles
        packets = plan.packets
        self.sections = sections
        features = "\(result.acceptedFeatures)"
        backendFeatures = "\(result.acknowledgedBackendFeatures)"
    }
}

extension RunReport.Ending {
    fileprivate static func of(_ ending: RunEnding) -> (Self, failure: String?) {
        switch ending {
        case .done: (.done, nil)
        case .timeWasUp: (.timeWasUp, nil)
        case .stalled: (.stalled, nil)
        case .interrupted: (.interrupted, nil)
        case .deviceWentAway: (.deviceWentAway, nil)
        case .brokeOff(let reason): (.brokeOff, reason)
        }
    }
}

extension RunReport.Packets {
    /// The generator's account where it sent, the driver's queues otherwise.
    fileprivate init(_ result: RunResult, _ accounts: [RunReport.QueueAccount], options: RunOptions) {
        let isGenerated = options.machine.generatesFrames
        let frames = result.frames
        let devices = accounts.compactMap(\.device)
        // A device that keeps no accounts may have a parent that counts.
        let parentDrops = devices.isEmpty ? result.device?.drops ?? 0 : 0
        deviceDrops = devices.reduce(parentDrops) { $0 + $1.dropped }
        sent = isGenerated ? frames.sent : result.transmitted.packets
        received = isGenerated ? frames.received : result.received.packets
        duplicated = frames.duplicated
        corrupted = frames.corrupted
        abandoned =
            isGenerated ? frames.abandoned : accounts.flatMap(\.sides).reduce(0) { $0 + $1.account.abandoned }
        // What a named counter holds is not lost. Where frames do not come back, nothing can be said.
        let expectsReturn = !options.device.isSimulated || options.machine.wireReturnsFrames
        let dropped = accounts.flatMap(\.sides).reduce(0) { $0 + $1.account.dropped }
        // Where the end could not wait, a frame that the device has not taken yet is not lost either.
        let isHurried = result.settlement.wasHurried
        let waiting = isHurried ? accounts.filter(\.isTransmit).reduce(0) { $0 + $1.driver.pending } : 0
        // Where others send through a device as well, its parent's drops may be theirs.
        let known = dropped + (frames.foreign == 0 ? parentDrops : 0) + waiting
        lost = isGenerated && expectsReturn ? frames.outstanding - min(frames.outstanding, known) : 0
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
        let (cycles, counts) = (result.cycles.count, result.cycles.counts)
        func mean(_ count: Int) -> Double { cycles == 0 ? 0 : Double(count) / Double(cycles) }
        perCycle = PerCycle(updates: mean(counts.updates), invalidates: mean(counts.invalidates))
    }
}

extension RunReport.CycleTime {
    /// The fewest samples of which one in a hundred is not simply the longest.
    static let fewestForP99 = 100

    /// `nil` of none.
    init?(_ durations: DurationHistogram) {
        guard let median = durations.percentile(50), let maximum = durations.maximum else { return nil }
        p50 = median.microseconds
        p99 = durations.count >= Self.fewestForP99 ? durations.percentile(99)?.microseconds : nil
        max = maximum.microseconds
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
