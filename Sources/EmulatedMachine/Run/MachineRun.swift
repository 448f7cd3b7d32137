internal import Glibc
internal import SystemPackage
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
    private var cycles: [CycleMeasurement] = []
    private var runningTime = Duration.zero
    private var recoveries = 0
    /// What a real device's parent counted over the run, where it counts.
    private var parentCounts: QueueCounts?
    private var begin: ContinuousClock.Instant
    private var nextReport: ContinuousClock.Instant

    /// How long nothing must have come back before what is outstanding counts as lost.
    private static let patience = Duration.seconds(5)

    package init(
        _ machine: EmulatedMachine, plan: RunPlan, interrupt: RunInterrupt, observer: (any RunObserver)? = nil
    ) {
        self.machine = machine
        self.plan = plan
        self.interrupt = interrupt
        self.observer = observer
        begin = clock.now
        nextReport = begin
    }

    /// Starts the machine, runs the plan, waits for the frames on their way and stops the machine.
    package func run() throws(MachineError) -> RunResult {
        try machine.start()
        let parentAtFirst = machine.parentCounts
        observer?.runDidStart(machine)
        // The driver's thread binds its interrupts in its own time; what it holds counts from then on.
        machine.driver.synchronise()
        let firstResources = ProcessResources.current()
        begin = clock.now
        nextReport = begin.advanced(by: .seconds(1))
        machine.driver.startTraffic(limit: plan.packets ?? .max)
        while try runInterval() {
            cycles.append(try machine.cycle())
        }
        machine.driver.stopTraffic()
        settle()
        let lastResources = ProcessResources.current()
        parentCounts = machine.parentCounts(since: parentAtFirst)
        try machine.stop()
        machine.driver.synchronise()
        return result(firstResources, lastResources)
    }

    /// Lets the device run until the next stop is due. `false` where the run is over instead.
    private func runInterval() throws(MachineError) -> Bool {
        let start = clock.now
        // Without a stop to come, only the end and the reports are waited for.
        let due = start.advanced(by: plan.cycles == 0 ? .seconds(1 << 30) : plan.interval)
        defer { runningTime += start.duration(to: clock.now) }
        if let limit = plan.cycles, cycles.count >= limit, limit > 0 || plan.packets == nil { return false }
        while true {
            let now = clock.now
            if isOver(at: now) { return false }
            if plan.cycles != 0, now >= due { return true }
            report(at: now)
            try wait(until: min(due, nextReport, end ?? due))
        }
    }

    /// When the run ends by time, if it does.
    private var end: ContinuousClock.Instant? {
        plan.cycles == nil && plan.packets == nil ? begin.advanced(by: plan.duration) : nil
    }

    private func isOver(at now: ContinuousClock.Instant) -> Bool {
        if interrupt.wasRaised { return true }
        if let end, now >= end { return true }
        guard let packets = plan.packets else { return false }
        let frames = machine.driver.counters.frames
        return frames.sent >= packets && frames.outstanding == 0
    }

    /// Waits for an event or until `instant`, and answers a configuration interrupt.
    private func wait(until instant: ContinuousClock.Instant) throws(MachineError) {
        let left = clock.now.duration(to: instant).components
        let milliseconds = max(0, left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000)
        var events = [
            pollfd(fd: interrupt.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: machine.backend.configurationInterrupt.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        // A plan for a number of packets has no event of its own: it looks again soon.
        let limit = plan.packets == nil ? milliseconds : min(milliseconds, 5)
        guard unsafe poll(&events, nfds_t(events.count), Int32(clamping: limit)) > 0 else { return }
        if events[1].revents != 0 { try answerConfigurationInterrupt() }
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
        observer?.runDidRecover()
    }

    private func report(at now: ContinuousClock.Instant) {
        guard now >= nextReport else { return }
        nextReport = now.advanced(by: .seconds(1))
        observer?.runDidProgress(
            RunProgress(
                elapsed: begin.duration(to: now), cycles: cycles.count,
                frames: machine.driver.counters.frames,
                received: machine.driver.counters.receive, transmitted: machine.driver.counters.transmit,
                faults: machine.simulation?.faultCount ?? 0))
    }

    /// Waits until every frame is back, or none has come for a while.
    private func settle() {
        guard machine.driverConfiguration.expectsReturn else { return }
        var last = machine.driver.counters.frames.received
        var lastChange = clock.now
        while lastChange.duration(to: clock.now) < Self.patience {
            machine.driver.synchronise()
            let frames = machine.driver.counters.frames
            if frames.outstanding == 0 { return }
            if frames.received != last {
                last = frames.received
                lastChange = clock.now
            }
            usleep(1000)
        }
    }

    private func result(_ firstResources: ProcessResources, _ lastResources: ProcessResources) -> RunResult {
        RunResult(
            negotiated: machine.backend.negotiated, acceptedFeatures: machine.acceptedFeatures,
            cycles: cycles, runningTime: runningTime,
            frames: machine.driver.counters.frames, received: machine.driver.counters.receive,
            transmitted: machine.driver.counters.transmit, device: machine.simulation?.counts ?? parentCounts,
            faults: machine.simulation?.faultCount ?? 0, recentFaults: machine.simulation?.recentFaults ?? [],
            recoveries: recoveries, firstResources: firstResources, lastResources: lastResources,
            counts: machine.backend.counts, wasInterrupted: interrupt.wasRaised)
    }
}
