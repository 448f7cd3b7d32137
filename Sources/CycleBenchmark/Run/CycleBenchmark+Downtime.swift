internal import EmulatedMachine
internal import GuestMemory
internal import VhostVDPA
internal import VhostVDPABackend
internal import VirtQueue
internal import VirtioNet

/// Stops and starts while frames go through the device.
extension CycleBenchmark {
    /// Runs `turns` under traffic and adds what they took to `series`. Returns what was wrong, in words.
    ///
    /// Downtime is from the last frame that was seen to arrive before the stop to the first one after the start,
    /// both read from the receive queue's used ring. The stop begins when a frame arrives, so the time is that of
    /// one gap between two frames. Frames that the device delivers between that one and its SUSPEND make it too long
    /// by at most the time of that call; it is never too short.
    func measureDowntime(
        _ machine: EmulatedMachine, _ timer: PhaseTimer, _ turns: [CycleSchedule.Turn],
        _ series: inout [CycleSeries], progress: (Int) -> Void
    ) throws(MachineError) -> [String] {
        guard !turns.isEmpty else { return [] }
        let layout: SplitQueueLayout
        do {
            layout = try machine.driver.layout(0, size: machine.driverConfiguration.queueSize)
        } catch {
            throw .unsupported("the receive queue cannot be watched: \(error)")
        }
        guard let watch = FrameWatch(ring: layout.usedRing, in: machine.memory, patience: Self.patience)
        else {
            throw .unsupported("the receive queue cannot be watched: its used ring lies in no memory")
        }
        machine.driver.startTraffic()
        defer { machine.driver.stopTraffic() }
        for (index, turn) in turns.enumerated() {
            try prepare(machine, turn.strategy.configuration)
            guard let before = watch.change(from: watch.count) else {
                return ["\(turn.strategy.rawValue): no frame came under traffic"]
            }
            var atStart = watch.count
            let timing = try trafficCycle(machine, timer, turn) { atStart = watch.count }
            guard let after = watch.change(from: atStart) else {
                return ["\(turn.strategy.rawValue): no frame came under traffic after a stop and start"]
            }
            series[turn.place].add(timing, .init(), turn.purpose)
            series[turn.place].downtimes.append(after - before)
            progress(index + 1)
        }
        return settle(machine)
    }

    /// One cycle under traffic. What it acknowledges has been set; `between` is called while the device is
    /// stopped.
    private func trafficCycle(
        _ machine: EmulatedMachine, _ timer: PhaseTimer, _ turn: CycleSchedule.Turn, between: () -> Void
    ) throws(MachineError) -> CycleTiming {
        machine.backend.callObserver = timer
        defer { machine.backend.callObserver = nil }
        timer.begin(turn.purpose.detail)
        if turn.strategy == .resume {
            do throws(BackendError) {
                try machine.backend.suspendInPlace()
                between()
                try machine.backend.resumeInPlace()
            } catch {
                throw .backend(error)
            }
        } else {
            _ = try machine.takeBack(machine.stopDevice())
            between()
            try machine.start()
        }
        return timer.end()
    }

    /// Waits for the frames on their way. One that does not come back is lost.
    private func settle(_ machine: EmulatedMachine) -> [String] {
        machine.driver.stopTraffic()
        guard machine.driverConfiguration.expectsReturn, !Self.works(machine) else { return [] }
        let frames = machine.driver.counters.frames
        return [
            "\(frames.outstanding) of \(frames.sent) frames did not come back from stops and starts under traffic"
        ]
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
