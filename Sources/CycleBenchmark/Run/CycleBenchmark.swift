package import EmulatedMachine
internal import Glibc
internal import GuestMemory
package import Logging
internal import SimulatedVDPA
internal import VhostVDPA
internal import VhostVDPABackend
internal import VirtioNet

/// Measures what a stop and start costs: strategies alternate cycle by cycle on one device, size after size.
///
/// Queues are idle while a cycle is measured. After the first and the last cycle of each strategy frames must go
/// through the device and back, so that nothing is called fast that does not work. Control thread.
package struct CycleBenchmark {
    private let plan: CyclePlan
    private let logger: Logger
    private weak var observer: (any CycleObserver)?

    /// How many frames show that a device works.
    static let proofFrames: UInt64 = 16
    /// How long they may take.
    static let patience = Duration.seconds(10)
    /// The nanoseconds of cycles after which an observer hears how far it is.
    private static let untoldLimit: UInt64 = 20_000_000

    package init(_ plan: CyclePlan, logger: Logger, observer: (any CycleObserver)? = nil) {
        self.plan = plan
        self.logger = logger
        self.observer = observer
    }

    /// Runs the plan. A size that the machine does not have is skipped; any other failure ends the run.
    package func run() throws(MachineError) -> CycleOutcome {
        var outcome = CycleOutcome(machine: .current)
        for memory in plan.memory {
            observer?.willPrepare(memory)
            do throws(MachineError) {
                try measure(memory, &outcome)
            } catch {
                guard case .memory(let refusal) = error, refusal.code == .notEnoughMemory else { throw error }
                outcome.skips.append(
                    .init(memoryBytes: memory.rawValue, strategy: nil, reason: refusal.description))
            }
        }
        return outcome
    }

    private func measure(_ memory: ByteCount, _ outcome: inout CycleOutcome) throws(MachineError) {
        let pinnedBefore = KernelText.pinnedBytes
        let timer = PhaseTimer()
        var configuration = MachineConfiguration(
            memory: memory, pages: plan.pages, device: plan.device, isPrefaulted: !plan.isSparse,
            isSparse: plan.isSparse)
        configuration.regions = plan.regions
        configuration.queuePairs = plan.queuePairs
        configuration.isFragmented = plan.isFragmented
        let machine = try EmulatedMachine(configuration, logger: logger)
        defer { machine.close() }
        let firstMap = machine.backend.mapper.lastMapDuration
        try machine.start()
        let setup = setup(of: machine, pinsMemory: KernelText.pinnedBytes > pinnedBefore)
        var series: [CycleSeries] = []
        for strategy in plan.strategies {
            let offered = machine.backend.negotiated.offeredBackendFeatures
            if let reason = strategy.obstacle(offered: offered, memory: memory) {
                outcome.skips.append(.init(memoryBytes: memory.rawValue, strategy: strategy, reason: reason))
            } else {
                series.append(CycleSeries(strategy, setup))
            }
        }
        let strategies = series.map(\.strategy)
        let configurations = strategies.map(\.configuration)
        let schedule = CycleSchedule(strategies: strategies, warmUp: plan.warmUp, cycles: plan.cycles)
        let turns = schedule.turns
        let trafficTurns = schedule.trafficTurns
        let total = turns.count + trafficTurns.count
        var queues = try machine.nextQueues()
        var untold: UInt64 = 0
        for (index, turn) in turns.enumerated() {
            try prepare(machine, configurations[turn.place])
            let before = machine.backend.counts
            let timing = try cycle(machine, timer, turn, &queues)
            series[turn.place].add(timing, machine.backend.counts - before, turn.purpose)
            // What is done between two cycles leaves caches cold, and the C floor does next to nothing there.
            untold += timing.total
            if untold >= Self.untoldLimit || index + 1 == turns.count {
                untold = 0
                observer?.didCycle(memory, done: index + 1, total: total)
            }
            let isProof = index < strategies.count || index >= turns.count - strategies.count
            if isProof, !Self.works(machine) {
                outcome.problems.append(
                    "\(memory), \(turn.strategy.rawValue): no frame came back after a stop and start")
            }
        }
        outcome.problems += try measureDowntime(machine, timer, trafficTurns, &series) { done in
            observer?.didCycle(memory, done: turns.count + done, total: total)
        }.map { "\(memory), \($0)" }
        outcome.series += series
        try machine.stop()
        machine.close()
        if setup.isPinned, let map = firstMap {
            outcome.firstMaps.append(
                Self.firstMap(of: machine, setup, map, problems: &outcome.problems))
        }
    }

    /// One cycle with idle queues. What it acknowledges has been set. `queues` is what the device was started with and
    /// is started with again, where the queues stood.
    ///
    /// Nothing is done between stop and start but what the C floor does: the driver's part comes behind the end, as
    /// a driver that is idle has none. A device that cannot say where its queues stood is different: its driver starts
    /// over, and the time of that is left out, here and there.
    private func cycle(
        _ machine: EmulatedMachine, _ timer: PhaseTimer, _ turn: CycleSchedule.Turn,
        _ queues: inout [VringSetup]
    ) throws(MachineError) -> CycleTiming {
        let detail = turn.purpose.detail
        machine.backend.callObserver = detail == .whole ? nil : timer
        defer { machine.backend.callObserver = nil }
        let isResume = turn.strategy == .resume
        timer.begin(detail)
        if isResume {
            do throws(BackendError) {
                try machine.backend.suspendInPlace()
                try machine.backend.resumeInPlace()
            } catch {
                throw .backend(error)
            }
            return timer.end()
        }
        let states = try machine.stopDevice()
        if Self.place(&queues, where: states) {
            try machine.startDevice(queues)
            let timing = timer.end()
            _ = try machine.takeBack(states)
            return timing
        }
        timer.pause()
        _ = try machine.takeBack(states)
        queues = try machine.nextQueues()
        timer.resume()
        try machine.startDevice(queues)
        return timer.end()
    }

    /// Has `queues` go on where they stood; whether that is known.
    private static func place(_ queues: inout [VringSetup], where states: [VringState]) -> Bool {
        for (index, state) in states.enumerated() {
            guard let base = state.base else { return false }
            queues[index].base = base
        }
        return true
    }

    /// Acknowledges what a strategy wants.
    func prepare(
        _ machine: EmulatedMachine, _ configuration: BackendConfiguration
    ) throws(MachineError) {
        do throws(BackendError) {
            try machine.backend.reconfigure(configuration)
        } catch {
            throw .backend(error)
        }
    }

    private func setup(of machine: EmulatedMachine, pinsMemory: Bool) -> CycleSetup {
        let isPinned =
            if case .simulated(let specification) = plan.device {
                !specification.usesVirtualAddresses
            } else {
                pinsMemory
            }
        let sections = machine.backend.mapper.mappedSections
        return CycleSetup(
            device: plan.deviceName, memory: machine.configuration.memory, pages: machine.memory.ram.pages,
            isPinned: isPinned, regions: sections.count, queuePairs: plan.queuePairs,
            contiguousRuns: plan.isSparse ? nil : PhysicalRuns.count(in: sections))
    }

    /// Whether frames go through the device and come back. Leaves the queues idle.
    static func works(_ machine: EmulatedMachine) -> Bool {
        let before = machine.driver.counters.frames.received
        machine.driver.startTraffic(limit: proofFrames)
        let end = ContinuousClock.now + patience
        var hasReturned = false
        repeat {
            usleep(200)
            machine.driver.synchronise()
            let frames = machine.driver.counters.frames
            hasReturned = frames.received >= before + proofFrames && frames.outstanding == 0
        } while !hasReturned && ContinuousClock.now < end
        machine.driver.stopTraffic()
        return hasReturned
    }
}
