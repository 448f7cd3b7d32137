package import EmulatedMachine
internal import GuestMemory
internal import LinuxHost
package import Logging
internal import SimulatedVDPA
internal import VhostVDPABackend
internal import VirtioNet

/// Measures what a stop and start costs: strategies alternate cycle by cycle on one device, size after size.
///
/// Queues are idle while a cycle is measured. After the first and the last cycle of each strategy frames must go
/// through the device and back, so that nothing is called fast that does not work. Control thread.
package struct CycleBenchmark {
    let plan: CyclePlan
    let interrupt: RunInterrupt?
    let logger: Logger
    private(set) weak var observer: (any CycleObserver)?
    private let hook: EmulatedMachine.DeviceHook

    /// `interrupt` is looked at before every cycle and in every wait; `hook` may put a character device of its own before
    /// each that is opened.
    package init(
        _ plan: CyclePlan, logger: Logger, observer: (any CycleObserver)? = nil,
        interrupt: RunInterrupt? = nil, hook: @escaping EmulatedMachine.DeviceHook = EmulatedMachine.unhooked
    ) {
        self.hook = hook
        self.plan = plan
        self.logger = logger
        self.observer = observer
        self.interrupt = interrupt
    }

    /// Runs the plan. A size that the machine does not have is skipped. Any other failure ends the run: it is thrown
    /// where nothing has been measured before, and one of the problems of what has been measured otherwise.
    package func run() throws(MachineError) -> CycleOutcome {
        var outcome = CycleOutcome(machine: .current, command: plan.command, version: plan.version)
        outcome.baseline = plan.baseline
        for memory in plan.memory {
            observer?.willPrepare(memory)
            do throws(MachineError) {
                let reason = try measure(memory, &outcome)
                outcome.isInterrupted = reason == .interrupted
                if reason == .deviceIsGone { outcome.breakOff(memory, Self.goneText) }
                if reason != nil { return outcome }
            } catch {
                if error.isCancellation {
                    outcome.isInterrupted = true
                    return outcome
                }
                guard let refusal = error.wantOfMemory else {
                    guard outcome.hasBegun else { throw error }
                    outcome.breakOff(memory, "the benchmark broke off: \(error)")
                    return outcome
                }
                outcome.skips.append(
                    .init(
                        memoryBytes: memory.rawValue, strategy: nil,
                        reason: refusal.description + advice(refusal)))
            }
        }
        return outcome
    }

    private static let goneText =
        "the device went away (vdpa dev del?): the benchmark ended and closed it; add it again to go on"

    /// What else can be done about a size that is not there.
    private func advice(_ refusal: GuestMemoryError) -> String {
        plan.canModel && !plan.modelsMissingMemory && refusal.code == .notEnoughMemory
            ? "; or model it, untouched (--modelled)" : ""
    }

    /// Measures one size. What was measured is in `outcome`, also where the rest fails. Returns why it ended early.
    private func measure(
        _ memory: ByteCount, _ outcome: inout CycleOutcome
    ) throws(MachineError) -> EndWatch.Reason? {
        let pinnedBefore = ProcessStatus.pinnedBytes ?? 0
        let (machine, isModelled) = try assemble(memory)
        defer { machine.close() }
        // Filling and mapping may have taken long: what comes next takes its time, too.
        guard !EndWatch(interrupt).isInterrupted else { return .interrupted }
        let firstMap = machine.backend.mapper.lastMapDuration
        try machine.start()
        let setup = setup(
            of: machine, pinsMemory: (ProcessStatus.pinnedBytes ?? 0) > pinnedBefore, isModelled)
        var series: [CycleSeries] = []
        for strategy in plan.strategies {
            let offered = machine.backend.negotiated.offeredBackendFeatures
            if let reason = strategy.obstacle(offered: offered, memory: memory) {
                outcome.skips.append(.init(memoryBytes: memory.rawValue, strategy: strategy, reason: reason))
            } else {
                series.append(CycleSeries(strategy, setup))
            }
        }
        guard !series.isEmpty else { return nil }
        outcome.hasBegun = true
        observer?.didBeginMeasuring(memory)
        var failure: MachineError?
        var reason: EndWatch.Reason?
        do throws(MachineError) {
            reason = try cycle(machine, &series, &outcome)
            try machine.stop()
            try machine.requireWorkers()
        } catch {
            failure = error
        }
        if let cause = machine.failure {
            // Whatever else went wrong went wrong for that.
            outcome.breakOff(memory, "the benchmark broke off: \(cause)")
            (failure, reason) = (nil, .machineFailed)
        }
        observer?.willEnd()
        outcome.series += series.filter { !$0.cycles.isEmpty }
        if let failure { throw failure }
        machine.close()
        if reason == nil, setup.isPinned, let map = firstMap {
            outcome.firstMaps.append(self.firstMap(of: machine, setup, map, problems: &outcome.problems))
        }
        return reason ?? (EndWatch(interrupt).isInterrupted ? .interrupted : nil)
    }

    /// All cycles of one size: with idle queues, then under traffic. A device that moves no frame is measured no further.
    private func cycle(
        _ machine: EmulatedMachine, _ series: inout [CycleSeries], _ outcome: inout CycleOutcome
    ) throws(MachineError) -> EndWatch.Reason? {
        let memory = machine.configuration.memory
        let timer = PhaseTimer()
        var end = EndWatch(interrupt)
        let schedule = CycleSchedule(
            strategies: series.map(\.strategy), warmUp: plan.warmUp, cycles: plan.cycles)
        let meter = LoadMeter()
        let idle = try measureIdle(machine, timer, schedule, &series, &end)
        outcome.loads.append(meter.load(memory, cycles: idle.done, loadAverage: outcome.loadAverage))
        guard machine.failure == nil else { return .machineFailed }
        outcome.problems += idle.problems.map { "\(memory), \($0)" }
        guard idle.problems.isEmpty, idle.reason == nil else { return idle.reason }
        let traffic = try measureDowntime(machine, timer, schedule, &series, &end)
        guard machine.failure == nil else { return .machineFailed }
        outcome.problems += traffic.problems.map { "\(memory), \($0)" }
        return traffic.reason
    }

    /// How the cycles of one kind ended.
    struct Stretch {
        /// The cycles done.
        var done = 0
        /// What was wrong, in words.
        var problems: [String] = []
        var reason: EndWatch.Reason?
    }

    /// The machine, and whether its memory is there on paper alone: where it does not fit and the plan allows it.
    private func assemble(_ memory: ByteCount) throws(MachineError) -> (EmulatedMachine, isModelled: Bool) {
        do throws(MachineError) {
            return (try assemble(memory, isModelled: false), false)
        } catch {
            guard plan.modelsMissingMemory, plan.canModel, error.wantOfMemory != nil else { throw error }
            return (try assemble(memory, isModelled: true), true)
        }
    }

    private func assemble(
        _ memory: ByteCount, isModelled: Bool
    ) throws(MachineError) -> EmulatedMachine {
        var configuration = MachineConfiguration(
            memory: memory, pages: plan.pages, device: plan.device, isPrefaulted: !isModelled,
            isSparse: isModelled)
        configuration.regions = plan.regions
        configuration.queuePairs = plan.queuePairs
        configuration.isFragmented = plan.isFragmented
        return try EmulatedMachine(configuration, logger: logger, interrupt: interrupt, hook: hook)
    }

    private func setup(
        of machine: EmulatedMachine, pinsMemory: Bool, _ isModelled: Bool
    ) -> CycleSetup {
        let isPinned =
            if case .simulated(let specification) = plan.device {
                !specification.usesVirtualAddresses
            } else {
                pinsMemory
            }
        let sections = machine.backend.mappedSections
        return CycleSetup(
            device: plan.deviceName, memory: machine.configuration.memory, pages: machine.memory.ram.pages,
            isPinned: isPinned, regions: sections.count, queuePairs: plan.queuePairs,
            contiguousRuns: isModelled ? nil : PhysicalRuns.count(in: sections), isModelled: isModelled)
    }
}

extension MachineError {
    /// The refusal, where guest memory of this size is not available here.
    fileprivate var wantOfMemory: GuestMemoryError? {
        guard case .memory(let refusal) = self,
            [.notEnoughMemory, .allocationFailed, .prefaultFailed].contains(refusal.code)
        else { return nil }
        return refusal
    }

    /// Whether somebody asked to end while memory was filled.
    fileprivate var isCancellation: Bool {
        guard case .memory(let refusal) = self else { return false }
        return refusal.code == .cancelled
    }
}
