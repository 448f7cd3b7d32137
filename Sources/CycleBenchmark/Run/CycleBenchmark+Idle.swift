internal import EmulatedMachine
internal import Glibc
internal import Logging
internal import VhostVDPA
internal import VhostVDPABackend
internal import VirtioNet

/// Stops and starts with idle queues.
extension CycleBenchmark {
    /// How many frames show that a device works.
    private static let proofFrames: UInt64 = 16
    /// The nanoseconds of cycles after which an observer hears how far it is.
    private static let untoldLimit: UInt64 = 20_000_000

    /// Runs the turns with idle queues and adds what they took to `series`. Ends at the first strategy after which no
    /// frame comes back.
    func measureIdle(
        _ machine: EmulatedMachine, _ timer: PhaseTimer, _ schedule: CycleSchedule,
        _ series: inout [CycleSeries], _ end: inout EndWatch
    ) throws(MachineError) -> Stretch {
        let memory = machine.configuration.memory
        let configurations = schedule.strategies.map(\.configuration)
        let turns = schedule.turns
        var stretch = Stretch()
        var queues = try machine.nextQueues()
        var untold: UInt64 = 0
        for (index, turn) in turns.enumerated() {
            stretch.reason = end.reason(machine)
            guard stretch.reason == nil else { return stretch }
            try prepare(machine, configurations[turn.place])
            let before = machine.backend.counts
            let timing = try cycle(machine, timer, turn, &queues)
            series[turn.place].add(timing, machine.backend.counts - before, turn.purpose)
            stretch.done += 1
            // What is done between two cycles leaves caches cold, and the C floor does next to nothing there.
            untold &+= timing.total
            let isLastOfRound = (index + 1).isMultiple(of: schedule.strategies.count)
            if isLastOfRound, turn.purpose == .whole, turn.round == 0 {
                logger.info("the first cycle of each strategy is measured", metadata: ["memory": "\(memory)"])
            }
            if isLastOfRound, untold >= Self.untoldLimit || index + 1 == turns.count {
                untold = 0
                observer?.didCycle(
                    memory, turn.purpose, done: turn.round + 1, total: schedule.rounds(of: turn.purpose))
            }
            let isProof =
                index < schedule.strategies.count || index >= turns.count - schedule.strategies.count
            if isProof, !works(machine, end) {
                guard !end.isInterrupted else { continue }
                stretch.problems.append(
                    "\(turn.strategy.rawValue): no frame came back after a stop and start")
                return stretch
            }
        }
        return stretch
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
        machine.backend.watchCalls(with: detail == .whole ? nil : timer)
        defer { machine.backend.watchCalls(with: nil) }
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
        let stopped = try machine.stopDevice()
        if Self.place(&queues, where: stopped.states) {
            try machine.startDevice(queues)
            let timing = timer.end()
            _ = try machine.takeBack(stopped)
            return timing
        }
        timer.pause()
        _ = try machine.takeBack(stopped)
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

    /// Whether frames go through the device and come back. Leaves the queues idle. Waits as long as the plan is patient,
    /// or until `end` is interrupted.
    func works(_ machine: EmulatedMachine, _ end: EndWatch) -> Bool {
        let before = machine.driver.counters.frames.received
        machine.driver.startTraffic(limit: Self.proofFrames)
        let limit = ContinuousClock.now + plan.patience
        var hasReturned = false
        repeat {
            usleep(200)
            machine.driver.synchronise()
            let frames = machine.driver.counters.frames
            hasReturned = frames.received >= before + Self.proofFrames && frames.outstanding == 0
        } while !hasReturned && !end.isInterrupted && machine.failure == nil && ContinuousClock.now < limit
        machine.driver.stopTraffic()
        return hasReturned
    }
}

extension CycleSchedule.Turn.Purpose {
    /// What the timer takes of such a cycle.
    var detail: PhaseTimer.Detail {
        switch self {
        case .warmUp, .whole: .whole
        case .phases: .phases
        case .traffic: .span
        }
    }
}
