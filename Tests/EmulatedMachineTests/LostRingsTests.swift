import EmulatedMachine
import GuestMemory
import LinuxHost
import SystemPackage
import TestSupport
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

/// Rings of a device that did not say where they stood, under traffic.
@Suite("Lost rings", .timeLimit(.minutes(15)))
struct LostRingsTests {
    struct Case: CustomTestStringConvertible {
        let device: String
        let lostRings: LostRings
        /// What becomes of them over each stop and start.
        let outcome: RingOutcome

        var testDescription: String { "\(device), \(lostRings.rawValue)" }

        static let all = [
            Case(device: "sim,fault=suspend", lostRings: .startOver, outcome: .startedOver),
            Case(device: "sim,fault=suspend", lostRings: .recover, outcome: .recovered),
            Case(device: "sim,parent=vduse", lostRings: .startOver, outcome: .startedOver),
            Case(device: "sim,parent=vduse", lostRings: .recover, outcome: .recovered),
            Case(device: "sim,parent=stateful,memlock=unlimited", lostRings: .recover, outcome: .recovered),
            // It takes no position but 0: what is recovered is of no use.
            Case(
                device: "sim,parent=vp-vdpa,memlock=unlimited", lostRings: .recover, outcome: .startedOver),
            // It says where they stood, and is believed.
            Case(device: "sim", lostRings: .recover, outcome: .kept),
        ]
    }

    /// Between two batches nothing is in flight in a simulated device, so that a reset finds every chain it took returned.
    @Test("go on from their used index with nothing lost or repeated, or start over", arguments: Case.all)
    func cycles(_ testCase: Case) throws {
        let machine = try makeMachine(testCase.device, lostRings: testCase.lostRings)
        defer { machine.close() }
        try machine.start()
        machine.driver.startTraffic()
        for _ in 0..<20 {
            try #require(machine.receives(200))
            #expect(try machine.cycle().rings == testCase.outcome)
        }
        try #require(machine.receives(200))
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames)")
        if testCase.outcome != .startedOver { #expect(frames.abandoned == 0, "\(frames)") }
    }

    @Test("a device that takes no ring position is not asked to a second time")
    func refused() throws {
        let machine = try makeMachine("sim,parent=vp-vdpa,memlock=unlimited", lostRings: .recover)
        defer { machine.close() }
        try machine.start()
        machine.driver.startTraffic()
        var resets: [Int] = []
        for _ in 0..<3 {
            try #require(machine.receives(100))
            let before = machine.backend.counts.ioctls
            #expect(try machine.cycle().rings == .startedOver)
            resets.append(machine.backend.counts.ioctls - before)
        }
        // The first start is refused and made again.
        #expect(resets[0] > resets[1])
        #expect(resets[1] == resets[2])
        #expect(machine.settle().isFlawless)
    }

    @Test("a device that asked for a reset has its rings started over, whatever memory says")
    func broken() throws {
        let machine = try makeMachine("sim", lostRings: .recover)
        defer { machine.close() }
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        #expect(machine.settle().isFlawless)
        try #require(try GuestRing(machine, 1)).jumpIndex()
        for signals in machine.driver.signals { signals.kick.signal() }
        try #require(machine.awaitsNeedsReset())
        #expect(try machine.stop(reason: .recovery) == .startedOver)
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        #expect(machine.settle().isFlawless)
    }

    @Test("a ring that its device has broken starts over, whatever its used index says: only that heals it")
    func brokenByTheDevice() throws {
        let machine = try makeMachine("sim,fault=suspend", lostRings: .recover)
        defer { machine.close() }
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        #expect(machine.settle().isFlawless)
        // The last frame is back before the device's worker has said that it took it.
        try #require(machine.simulation?.network).synchronise()
        try #require(try GuestRing(machine, 1)).jumpUsedIndex()
        #expect(try machine.cycle().rings == .startedOver)
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        #expect(try machine.cycle().rings == .recovered)
        try #require(machine.receives(300))
        #expect(machine.settle().isFlawless)
    }

    @Test(
        "of a device that cannot be reset nobody touches the rings: it may still run",
        arguments: LostRings.allCases)
    func notReset(lostRings: LostRings) throws {
        var faulty: FaultyDevice?
        let machine = try makeMachine("sim", lostRings: lostRings) { inner in
            let device = FaultyDevice(inner)
            faulty = device
            return device
        }
        defer { machine.close() }
        let device = try #require(faulty)
        try machine.start()
        machine.driver.startTraffic(limit: 300)
        try #require(eventually { machine.driver.counters.frames.received == 300 })
        try machine.stop()
        let before = device.callCount
        try machine.start()
        // The last call of a start, and whatever would take it back.
        let last = device.callCount - before - 1
        try machine.stop()
        device.fail(after: last, count: .max)
        #expect(throws: MachineError.self) { try machine.start() }
        #expect(machine.backend.state == .failed)
        #expect(try GuestRing(machine, 1)?.usedIndex == 300)
    }

    @Test("a start that failed once the device could run goes on from the used index too")
    func failedStart() throws {
        var faulty: FaultyDevice?
        let machine = try makeMachine("sim", lostRings: .recover) { inner in
            let device = FaultyDevice(inner)
            faulty = device
            return device
        }
        defer { machine.close() }
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(200))
        let device = try #require(faulty)
        var failed = 0
        // Every call of a start fails once, those before DRIVER_OK too, after which the positions of the stop hold.
        for call in 0..<40 {
            try machine.stop()
            device.fail(after: call)
            do {
                try machine.start()
                break
            } catch { failed += 1 }
            device.fail(after: 0, count: 0)
            try machine.start()
            try #require(machine.receives(20))
        }
        #expect(failed > 10)
        let frames = machine.settle()
        #expect(frames.isFlawless && frames.abandoned == 0, "\(frames)")
    }
}
