import EmulatedMachine
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtQueue
import Virtio
import VirtioNet

@Suite("A run of a machine", .timeLimit(.minutes(15))) struct MachineRunTests {
    /// Makes a machine, runs the plan and closes it.
    private func run(
        _ plan: RunPlan, on device: String = "sim", wire: PortSpecification = .loopback,
        lostRings: LostRings = .startOver, observer: Watcher? = nil,
        hook: @escaping EmulatedMachine.DeviceHook = EmulatedMachine.unhooked
    ) throws -> RunResult {
        let machine = try makeMachine(device, wire: wire, lostRings: lostRings, hook: hook)
        defer { machine.close() }
        let interrupt = try observer?.interrupt ?? RunInterrupt()
        return try MachineRun(machine, plan: plan, interrupt: interrupt, observer: observer).run()
    }

    /// Hears what a run says, and may end it then.
    private final class Watcher: RunObserver {
        let interrupt: RunInterrupt
        var endsAtStart = false
        var endsWhenTrafficEnds = false
        private(set) var outstanding: UInt64?

        init() throws { interrupt = try RunInterrupt() }

        func runDidStart(_ machine: EmulatedMachine) { if endsAtStart { interrupt.raise() } }

        func runDidEndTraffic(outstanding: UInt64) {
            self.outstanding = outstanding
            if endsWhenTrafficEnds { interrupt.raise() }
        }
    }

    // MARK: When it ends

    /// A plan, and what ends it.
    struct Planned: CustomTestStringConvertible {
        var plan: RunPlan
        var ending: RunEnding = .done
        /// What it has done by then; `nil` for what depends on time.
        var cycles: Int?
        var sent: UInt64?

        var testDescription: String {
            "cycles \(plan.cycles.map(String.init) ?? "-"), packets \(plan.packets.map(String.init) ?? "-"), duration"
                + " \(plan.duration.map { "\($0)" } ?? "-")"
        }
    }

    @Test(
        "ends when its stops and its packets are done, or when its time is up",
        arguments: [
            Planned(plan: RunPlan(cycles: 3, interval: .milliseconds(5)), cycles: 3),
            Planned(plan: RunPlan(cycles: 0, packets: 1000), cycles: 0, sent: 1000),
            // More packets than the stops leave time for: both are done.
            Planned(
                plan: RunPlan(cycles: 2, interval: .milliseconds(1), packets: 100_000), cycles: 2,
                sent: 100_000),
            // More stops than the packets leave time for: both are done.
            Planned(plan: RunPlan(cycles: 5, interval: .milliseconds(10), packets: 10), cycles: 5, sent: 10),
            Planned(plan: RunPlan(cycles: 0, duration: .milliseconds(100)), cycles: 0),
            Planned(plan: RunPlan(interval: .seconds(3600), duration: .milliseconds(100)), cycles: 0),
            Planned(
                plan: RunPlan(cycles: 1_000_000, interval: .milliseconds(10), duration: .milliseconds(100)),
                ending: .timeWasUp),
            Planned(
                plan: RunPlan(cycles: 0, duration: .milliseconds(100), packets: .max - 1), ending: .timeWasUp),
            Planned(
                plan: RunPlan(cycles: 1, interval: .milliseconds(5), duration: .seconds(3600)), cycles: 1),
            Planned(
                plan: RunPlan(cycles: 0, duration: .seconds(3600), packets: 1000), cycles: 0, sent: 1000),
        ])
    func ending(planned: Planned) throws {
        let result = try run(planned.plan)
        #expect(result.ending == planned.ending)
        if let cycles = planned.cycles { #expect(result.cycles.count == cycles) }
        if let sent = planned.sent { #expect(result.frames.sent == sent) }
        #expect(result.frames.isFlawless, "\(result.frames)")
        #expect(result.accounts.allSatisfy { $0.balances }, "\(result.accounts)")
        if let duration = planned.plan.duration, planned.ending == .timeWasUp || planned.cycles == 0,
            planned.sent == nil
        {
            #expect(result.times.wall >= duration)
            #expect(result.times.traffic >= duration / 2)
        }
    }

    @Test("lets the device run for an interval before every stop")
    func interval() throws {
        let result = try run(RunPlan(cycles: 2, interval: .milliseconds(150)))
        #expect(result.times.running >= .milliseconds(300))
        #expect(result.times.wall >= result.times.running)
        #expect(result.times.wall >= result.times.traffic)
    }

    @Test("without a frame that can come back ends when all are sent and taken")
    func noReturn() throws {
        let result = try run(RunPlan(cycles: 0, packets: 1000, patience: .seconds(3600)), wire: .none)
        #expect(result.ending == .done)
        #expect(result.frames.sent == 1000 && result.frames.received == 0)
        #expect(result.accounts[1].device?.left == 1000)
    }

    @Test(
        "ends when its packets do not come back for as long as it has patience, stops or not",
        arguments: [nil, 1])
    func stalled(cycles: Int?) throws {
        let plan = RunPlan(
            cycles: cycles, interval: .milliseconds(20), packets: 1 << 40, patience: .milliseconds(300))
        let result = try run(plan, on: "sim,fault=loses-maps")
        #expect(result.ending == .stalled)
        #expect(result.frames.outstanding > 0)
        #expect(result.faults > 0)
        // The rate is over the time in which frames moved, which ended with the first stop.
        #expect(result.times.traffic <= result.times.wall - .milliseconds(250))
    }

    @Test(
        "ends its wait for frames that do not come back when somebody asks, and keeps what it had found by then",
        arguments: [(nil, RunEnding.interrupted), (1_000_000, .timeWasUp)])
    func interruptedWait(cycles: Int?, expected: RunEnding) throws {
        let watcher = try Watcher()
        watcher.endsWhenTrafficEnds = true
        let plan = RunPlan(
            cycles: cycles, interval: .milliseconds(20), duration: .milliseconds(100),
            patience: .seconds(3600))
        let result = try run(plan, on: "sim,fault=loses-maps", observer: watcher)
        #expect(watcher.outstanding ?? 0 > 0)
        #expect(result.frames.outstanding > 0)
        #expect(result.ending == expected)
        #expect(result.settlement.wasHurried)
    }

    @Test("finds frames that a device does not take, where none comes back as well")
    func untaken() throws {
        var plan = RunPlan(
            interval: .milliseconds(20), duration: .milliseconds(100), patience: .milliseconds(300))
        let result = try run(plan, on: "sim,fault=loses-maps", wire: .none)
        #expect(result.settlement.standing > 0)
        #expect(!result.settlement.wasHurried)
        plan.patience = .seconds(60)
        #expect(try run(plan, wire: .none).settlement == RunSettlement())
    }

    @Test("asked at its start, ends without a frame lost")
    func interruptedStart() throws {
        let watcher = try Watcher()
        watcher.endsAtStart = true
        let result = try run(RunPlan(duration: .seconds(3600)), observer: watcher)
        #expect(result.ending == .interrupted)
        #expect(result.cycles.count == 0)
        #expect(result.frames.isFlawless)
    }

    @Test("that breaks off has a result, with the reason and what it came to", arguments: [0, 1, 2, 5])
    func brokeOff(passing: Int) throws {
        var faulty: FaultyDevice?
        let watcher = try FailingWatcher(passing: passing) { faulty }
        let machine = try makeMachine(persist: .off) { inner in
            let device = FaultyDevice(inner)
            faulty = device
            return device
        }
        defer { machine.close() }
        let plan = RunPlan(cycles: 1_000_000, interval: .milliseconds(5))
        let result = try MachineRun(machine, plan: plan, interrupt: try RunInterrupt(), observer: watcher)
            .run()
        guard case .brokeOff(let reason) = result.ending else {
            Issue.record("\(result.ending)")
            return
        }
        #expect(!reason.isEmpty)
        #expect(result.cycles.count < 10)
    }

    /// Lets a device fail from some call after the first start on.
    private final class FailingWatcher: RunObserver {
        private let passing: Int
        private let device: () -> FaultyDevice?

        init(passing: Int, _ device: @escaping () -> FaultyDevice?) throws {
            self.passing = passing
            self.device = device
        }

        func runDidStart(_ machine: EmulatedMachine) { device()?.fail(after: passing, count: .max) }
    }

    // MARK: What it finds

    @Test(
        "counts every stop, the last one too, at which a device that has SUSPEND does not say where its rings stand",
        arguments: [
            ("sim,fault=suspend", 4), ("sim", 0), ("sim,parent=vp-vdpa,memlock=unlimited", 0),
            ("sim,fault=late", 0),
        ])
    func failedSuspends(device: String, expected: Int) throws {
        let result = try run(RunPlan(cycles: 3, interval: .milliseconds(10)), on: device)
        #expect(result.ending == .done)
        #expect(result.failedSuspends == expected)
        let startsOver = device.contains("suspend") || device.contains("vp-vdpa")
        #expect(result.cycles.ringRestarts == (startsOver ? 3 : 0))
        #expect(result.ringRestarts == (startsOver ? 4 : 0))
        #expect(result.frames.isFlawless, "\(result.frames)")
        #expect(result.accounts.allSatisfy { $0.balances }, "\(result.accounts)")
    }

    @Test("counts rings that were recovered as that: the SUSPEND failed, and no ring started over")
    func recoveredRings() throws {
        let plan = RunPlan(cycles: 3, interval: .milliseconds(10))
        let result = try run(plan, on: "sim,fault=suspend", lostRings: .recover)
        #expect(result.failedSuspends == 4)
        #expect(result.ringRestarts == 0 && result.cycles.ringRestarts == 0)
        #expect(result.cycles.ringRecoveries == 3)
        #expect(result.frames.isFlawless && result.frames.abandoned == 0, "\(result.frames)")
    }

    @Test("counts every time that it started a device again which asked for it")
    func recoveries() throws {
        let result = try run(RunPlan(cycles: 3, interval: .milliseconds(50)), on: "sim,fault=dies")
        #expect(result.recoveries > 0)
        #expect(try run(RunPlan(cycles: 3, interval: .milliseconds(5))).recoveries == 0)
    }

    @Test("tells stops at which there was traffic from those at which all was back")
    func idleStops() throws {
        #expect(try run(RunPlan(cycles: 3, interval: .milliseconds(500), packets: 10)).idleStops == 3)
        #expect(try run(RunPlan(cycles: 3, interval: .milliseconds(1), packets: 1_000_000)).idleStops == 0)
        #expect(try run(RunPlan(cycles: 3, interval: .milliseconds(5))).idleStops == 0)
        // Where no frame comes back nobody can say.
        let oneWay = RunPlan(cycles: 3, interval: .milliseconds(50), packets: 10)
        #expect(try run(oneWay, wire: .none).idleStops == 0)
    }

    @Test("uses event indices and indirect descriptors where the device offers them")
    func features() throws {
        let machine = try makeMachine()
        defer { machine.close() }
        let both: VirtioFeatures = [.eventIndex, .indirectDescriptors]
        #expect(machine.driverConfiguration.features.isSuperset(of: both))
        #expect(machine.acceptedFeatures.isSuperset(of: both))
    }
}
