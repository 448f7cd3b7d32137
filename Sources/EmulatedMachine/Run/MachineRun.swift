internal import Glibc
internal import Logging
internal import SystemPackage
internal import VhostVDPA
internal import VhostVDPABackend
internal import VirtioNet

/// One run of a machine: traffic, and stops and starts at intervals, until the plan or somebody ends it.
///
/// Runs on the control thread, which waits in poll(2) between two cycles and hears the device's configuration
/// interrupt meanwhile. Use one value for one run.
package final class MachineRun {
    private let machine: EmulatedMachine
    private let plan: RunPlan
    private let interrupt: RunInterrupt
    private weak let observer: (any RunObserver)?

    private let clock = ContinuousClock()
    private var cycles = CycleStatistics()
    private var times = RunTimes()
    private var recoveries = 0
    private var failedSuspends = 0
    private var ringRestarts = 0
    private var idleStops = 0
    private var watch: ReturnWatch
    private var ports: PortWatch
    private var namespaces: NamespaceWatch
    private var lostPorts: [PortSpecification] = []
    private var failedCaptures: Set<PortEnd> = []
    private var begin: ContinuousClock.Instant
    private var nextReport: ContinuousClock.Instant
    private var nextLook: ContinuousClock.Instant

    /// How long the run goes on without looking whether its device is still there and its ports take frames.
    private static let longestWait = Duration.milliseconds(250)
    /// How often a number of packets is looked at: it has no event of its own.
    private static let packetsWait = Duration.milliseconds(2)

    package init(
        _ machine: EmulatedMachine, plan: RunPlan, interrupt: RunInterrupt, observer: (any RunObserver)? = nil
    ) {
        self.machine = machine
        self.plan = plan
        self.interrupt = interrupt
        self.observer = observer
        watch = ReturnWatch(at: clock.now)
        ports = PortWatch(guest: machine.configuration.guest, wire: machine.configuration.wire)
        namespaces = NamespaceWatch([machine.configuration.guest, machine.configuration.wire])
        begin = clock.now
        nextReport = begin
        nextLook = begin
    }

    /// Starts the machine, runs the plan, waits for the frames on their way and stops the machine.
    ///
    /// - Throws: Where the first start fails. What goes wrong later is the result's ``RunEnding/brokeOff(_:)``.
    package func run() throws(MachineError) -> RunResult {
        try machine.start()
        try SpareDescriptors.require()
        try machine.beginCaptures()
        interrupt.enter("the device's traffic")
        machine.logger.info("the device has started")
        let parentAtFirst = machine.parentCounts
        observer?.runDidStart(machine)
        // What the driver's thread has done of itself by now is no traffic of this run.
        machine.driver.synchronise()
        let firstResources = ProcessResources.current()
        let firstTime = ProcessorTime.current()
        begin = clock.now
        nextReport = begin.advanced(by: .seconds(1))
        watch = ReturnWatch(at: begin)
        machine.driver.startTraffic(limit: plan.packets ?? .max)
        var ending: RunEnding
        do throws(MachineError) {
            ending = try runPlan()
        } catch {
            ending = .brokeOff("\(error)")
        }
        machine.driver.stopTraffic()
        let trafficEnd = clock.now
        let settlement = settle(ending)
        // What the run had found before somebody asked stays found.
        if settlement.wasHurried, interrupt.wasRaised, ending == .done { ending = .interrupted }
        breakOffWhereWorkerFailed(&ending)
        let processorTime = firstTime.flatMap { first in ProcessorTime.current().map { $0 - first } }
        let lastResources = ProcessResources.current()
        let parentCounts = machine.parentCounts(since: parentAtFirst)
        do throws(MachineError) {
            interrupt.enter("the device's last stop")
            if !ending.isBreak { note(try machine.stop()) }
        } catch {
            ending = .brokeOff("\(error)")
        }
        machine.driver.synchronise()
        breakOffWhereWorkerFailed(&ending)
        noteTimes(trafficEnd: trafficEnd)
        interrupt.enter("the files of captures")
        let captures = tell(machine.finishCaptures())
        lookAtPorts()
        return RunResult(
            ending: ending, negotiated: machine.backend.negotiated,
            acknowledgedBackendFeatures: machine.backend.acknowledgedBackendFeatures,
            acceptedFeatures: machine.acceptedFeatures,
            cycles: cycles, failedSuspends: failedSuspends, ringRestarts: ringRestarts, idleStops: idleStops,
            settlement: settlement, times: times,
            accounts: machine.accounts(), frames: machine.driver.counters.frames,
            received: machine.driver.counters.receive, transmitted: machine.driver.counters.transmit,
            device: machine.simulation?.counts ?? parentCounts,
            deviceErrors: machine.simulation?.ringErrors ?? parentCounts?.errors ?? 0,
            faults: machine.simulation?.faultCount ?? 0,
            recentFaults: machine.simulation?.recentFaults ?? [], recoveries: recoveries,
            lostPorts: lostPorts, movedPorts: ports.moved(), captures: captures,
            firstResources: firstResources, lastResources: lastResources, processorTime: processorTime,
            counts: machine.backend.counts)
    }

    /// A worker that failed after the plan's time was up, or in the last stop, has lost frames just as one before.
    private func breakOffWhereWorkerFailed(_ ending: inout RunEnding) {
        if !ending.isBreak, let failure = machine.failure { ending = .brokeOff("\(failure)") }
    }

    // MARK: Traffic and stops

    /// Lets the device run, stopped and started when it is due, until the run is over. Returns why it is.
    private func runPlan() throws(MachineError) -> RunEnding {
        while true {
            if let ending = try runInterval() { return ending }
            if isBackAlready { idleStops += 1 }
            interrupt.enter("the device's stop and start")
            defer { interrupt.enter("the device's traffic") }
            let cycle = try machine.cycle()
            cycles.add(cycle)
            note(cycle.rings)
            watch.discount(cycle.duration)
        }
    }

    /// Lets the device run until the next stop is due, with `nil`, or until the run is over.
    private func runInterval() throws(MachineError) -> RunEnding? {
        let start = clock.now
        let due = plan.wantsStop(after: cycles.count) ? start.advanced(by: plan.interval) : nil
        defer { times.running += start.duration(to: clock.now) }
        while true {
            let now = clock.now
            watch.look(at: machine.driver.counters.frames, at: now)
            if let ending = ending(at: now) { return ending }
            if let due, now >= due { return nil }
            report(at: now)
            let limit = now.advanced(by: arePacketsDone ? Self.longestWait : Self.packetsWait)
            try wait(until: [due, end, nextReport, limit].compactMap(\.self).min() ?? limit)
        }
    }

    /// Why the run is over at `now`, if it is.
    private func ending(at now: ContinuousClock.Instant) -> RunEnding? {
        if interrupt.wasRaised { return .interrupted }
        if now >= nextLook {
            nextLook = now.advanced(by: Self.longestWait)
            lookAtPorts()
            if machine.deviceIsGone { return .deviceWentAway }
        }
        if let failure = machine.failure { return .brokeOff("\(failure)") }
        if plan.hasGoal, arePacketsDone, cycles.count >= plan.cycles ?? 0 { return .done }
        if let end, now >= end { return plan.hasGoal ? .timeWasUp : .done }
        if !arePacketsDone, watch.isStill(for: plan.patience, at: now) { return .stalled }
        return nil
    }

    private func lookAtPorts() {
        for refusal in ports.newRefusals(in: machine.accounts()) { observer?.runDidSee(refusal) }
        for port in namespaces.newlyDeleted() {
            lostPorts.append(port)
            observer?.runDidLose(port)
        }
    }

    /// Tells of a capture that is broken off, once.
    @discardableResult
    private func tell(_ captures: [PortCapture]) -> [PortCapture] {
        for capture in captures where capture.outcome.failure != nil {
            if failedCaptures.insert(capture.end).inserted { observer?.runDidFail(capture) }
        }
        return captures
    }

    /// When the run's time is up, if it ever is.
    private var end: ContinuousClock.Instant? { plan.duration.map { begin.advanced(by: $0) } }

    /// Whether the packets that the plan asks for are sent, and back where they come back. True where it asks for none.
    private var arePacketsDone: Bool { plan.packets.map { isBack($0) } ?? true }

    /// Whether the plan's packets were back before the stop that comes now. Of those that do not come back nobody can say.
    private var isBackAlready: Bool {
        plan.packets != nil && machine.driverConfiguration.expectsReturn && arePacketsDone
    }

    private func isBack(_ packets: UInt64) -> Bool {
        let frames = machine.driver.counters.frames
        return frames.sent >= packets
            && (frames.outstanding == 0 || !machine.driverConfiguration.expectsReturn)
    }

    private func note(_ rings: RingOutcome) {
        let canSuspend = machine.backend.acknowledgedBackendFeatures.contains(.suspend)
        if rings != .kept, canSuspend { failedSuspends += 1 }
        if rings == .startedOver { ringRestarts += 1 }
    }

    // MARK: Waiting

    /// Waits for an event or until `instant`, and answers a configuration interrupt.
    private func wait(until instant: ContinuousClock.Instant) throws(MachineError) {
        let left = max(.zero, clock.now.duration(to: instant))
        // Less than poll(2) can say is waited for without it.
        guard left >= .milliseconds(1) else { return Self.pause(left) }
        var events = [
            pollfd(fd: interrupt.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: machine.backend.configurationInterrupt.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        let milliseconds = Int32(clamping: Int64(left / .milliseconds(1)))
        let count = unsafe poll(&events, nfds_t(events.count), milliseconds)
        // A poll that is refused must not turn into a spin.
        if count < 0 { Self.pause(.milliseconds(1)) }
        guard count > 0 else { return }
        // A device that cannot go on asks for a reset as well, which would not help it.
        if events[1].revents != 0, machine.failure == nil { try answerConfigurationInterrupt() }
    }

    private static func pause(_ duration: Duration) {
        var time = timespec(tv_sec: 0, tv_nsec: Int(duration / .nanoseconds(1)))
        unsafe nanosleep(&time, nil)
    }

    private func answerConfigurationInterrupt() throws(MachineError) {
        let event: ConfigurationEvent
        do throws(BackendError) {
            event = try machine.backend.handleConfigurationInterrupt()
        } catch {
            throw .backend(error)
        }
        guard event == .needsReset else { return }
        try machine.recover()
        recoveries += 1
        watch.restart(at: clock.now)
        observer?.runDidRecover()
    }

    private func report(at now: ContinuousClock.Instant) {
        guard now >= nextReport else { return }
        nextReport = now.advanced(by: .seconds(1))
        tell(machine.captures())
        observer?.runDidProgress(
            RunProgress(
                elapsed: begin.duration(to: now), cycles: cycles.count,
                frames: machine.driver.counters.frames,
                received: machine.driver.counters.receive, transmitted: machine.driver.counters.transmit,
                faults: machine.simulation?.faultCount ?? 0))
    }

    /// Waits until every frame is back, or has left the transmit rings where none comes back, or none has moved for a
    /// while: a short one where somebody asked for the end, before or now.
    private func settle(_ ending: RunEnding) -> RunSettlement {
        guard !ending.isBreak, ending != .stalled else { return RunSettlement() }
        interrupt.enter("frames on their way")
        let isGenerated = machine.configuration.generatesFrames
        if isGenerated {
            observer?.runDidEndTraffic(outstanding: machine.driver.counters.frames.outstanding)
        }
        machine.driver.synchronise()
        let drain = RingDrain(machine.accounts())
        var patience = SettlePatience(plan.patience)
        var drainWatch = ReturnWatch(at: clock.now)
        watch.restart(at: clock.now)
        while machine.failure == nil {
            let now = clock.now
            let (frames, standing) = (machine.driver.counters.frames, drain.standing(in: machine.accounts()))
            watch.look(at: frames, at: now)
            drainWatch.look(at: standing, at: now)
            let expectsReturn = isGenerated && machine.driverConfiguration.expectsReturn
            if (expectsReturn ? frames.outstanding : standing) == 0 { return RunSettlement() }
            if interrupt.wasRaised || ending == .deviceWentAway { patience.hurry(at: now) }
            if patience.isOver(expectsReturn ? watch : drainWatch, at: now) {
                return RunSettlement(wasHurried: patience.isHurried, standing: standing)
            }
            Self.pause(.milliseconds(1))
            machine.driver.synchronise()
        }
        return RunSettlement()
    }

    /// Ends the clocks. Generated frames moved until the last of them was seen to, others until nobody waited for more.
    private func noteTimes(trafficEnd: ContinuousClock.Instant) {
        let now = clock.now
        watch.look(at: machine.driver.counters.frames, at: now)
        let isGenerated = machine.configuration.generatesFrames
        times.traffic = begin.duration(to: isGenerated ? watch.lastMove : trafficEnd)
        times.wall = begin.duration(to: now)
    }
}

extension RunEnding {
    /// Whether the machine is in a state that nothing more can be asked of.
    fileprivate var isBreak: Bool {
        if case .brokeOff = self { true } else { false }
    }
}
