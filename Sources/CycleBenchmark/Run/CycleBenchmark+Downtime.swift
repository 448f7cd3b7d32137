internal import EmulatedMachine
internal import GuestMemory
internal import VhostVDPA
internal import VhostVDPABackend
internal import VirtQueue
internal import VirtioNet

/// Stops and starts while frames go through the device.
extension CycleBenchmark {
    /// Runs the turns under traffic and adds what they took to `series`. Downtimes are read from the receive queue's used
    /// ring, see ``DowntimeGap``.
    func measureDowntime(
        _ machine: EmulatedMachine, _ timer: PhaseTimer, _ schedule: CycleSchedule,
        _ series: inout [CycleSeries], _ end: inout EndWatch
    ) throws(MachineError) -> Stretch {
        var stretch = Stretch()
        guard !schedule.trafficTurns.isEmpty else { return stretch }
        let layout: RingLayout
        do {
            layout = try machine.driver.layout(0, size: machine.driverConfiguration.queueSize)
        } catch {
            throw .unsupported("the receive queue cannot be watched: \(error)")
        }
        guard
            let watch = FrameWatch(
                layout, in: machine.memory, patience: plan.patience, end: end)
        else {
            throw .unsupported("the receive queue cannot be watched: its used ring lies in no memory")
        }
        let memory = machine.configuration.memory
        let total = schedule.rounds(of: .traffic)
        machine.driver.startTraffic()
        defer { machine.driver.stopTraffic() }
        for turn in schedule.trafficTurns {
            stretch.reason = end.reason(machine)
            guard stretch.reason == nil else { break }
            try prepare(machine, turn.strategy.configuration)
            switch try trafficCycle(machine, timer, turn, watch) {
            case .success(let gap):
                series[turn.place].add(gap.timing, .init(), turn.purpose)
                series[turn.place].downtimes.append(gap.nanoseconds)
            case .failure(let missing):
                guard !end.isInterrupted else { continue }
                stretch.problems.append("\(turn.strategy.rawValue): \(missing.rawValue)")
                return stretch
            }
            stretch.done += 1
            observer?.didCycle(memory, .traffic, done: turn.round + 1, total: total)
        }
        stretch.problems += settle(machine, end)
        return stretch
    }

    /// One cycle under traffic. What it acknowledges has been set.
    private func trafficCycle(
        _ machine: EmulatedMachine, _ timer: PhaseTimer, _ turn: CycleSchedule.Turn,
        _ watch: borrowing FrameWatch
    ) throws(MachineError) -> Result<DowntimeGap, DowntimeGap.Missing> {
        machine.backend.watchCalls(with: timer)
        defer { machine.backend.watchCalls(with: nil) }
        let isResume = turn.strategy == .resume
        return try DowntimeGap.measure(
            watch,
            stop: { () throws(MachineError) in
                timer.begin(turn.purpose.detail)
                guard isResume else {
                    _ = try machine.takeBack(machine.stopDevice())
                    return
                }
                do throws(BackendError) {
                    try machine.backend.suspendInPlace()
                } catch {
                    throw .backend(error)
                }
            },
            start: { () throws(MachineError) in
                guard isResume else {
                    try machine.start()
                    return timer.end()
                }
                do throws(BackendError) {
                    try machine.backend.resumeInPlace()
                } catch {
                    throw .backend(error)
                }
                return timer.end()
            })
    }

    /// Waits for the frames on their way. One that does not come back is lost.
    private func settle(_ machine: EmulatedMachine, _ end: EndWatch) -> [String] {
        machine.driver.stopTraffic()
        guard machine.driverConfiguration.expectsReturn, !end.isInterrupted, !works(machine, end),
            !end.isInterrupted
        else { return [] }
        let frames = machine.driver.counters.frames
        return [
            "\(frames.outstanding) of \(frames.sent) frames did not come back from stops and starts under traffic"
        ]
    }
}
