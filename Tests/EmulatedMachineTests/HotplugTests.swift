import EmulatedMachine
import GuestMemory
import SimulatedVDPA
import TestSupport
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

/// Memory that comes and goes, with traffic from buffers in it.
@Suite("Memory plugged and unplugged", .timeLimit(.minutes(15)))
struct HotplugTests {
    /// Frames enough for every buffer in the rings to have been exchanged.
    private static let turnover: UInt64 = 2000

    @Test(
        "while the device runs it carries traffic at once, without a fault or a loss", arguments: MapsCase.all
    )
    func whileRunning(_ testCase: MapsCase) throws {
        let machine = try makeMachine(testCase.device, persist: testCase.persist)
        try machine.start()
        machine.driver.startTraffic()
        for _ in 0..<3 {
            try #require(machine.receives(300))
            let module = try machine.plug(.mebibytes(8))
            try #require(machine.receives(Self.turnover))
            #expect(module.block.allocatedByteCount > .zero, "no frame stood in the new memory")
            _ = try machine.cycle()
            try #require(machine.receives(300))
            try machine.unplug(module)
            #expect(machine.memory.modules.isEmpty)
            try #require(machine.receives(300))
        }
        let frames = machine.settle()
        #expect(frames.isFlawless && frames.abandoned == 0, "\(frames)")
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test(
        "while the device is stopped: sent at once where maps are kept, else with the next start",
        arguments: MapsCase.all)
    func whileStopped(_ testCase: MapsCase) throws {
        let machine = try makeMachine(testCase.device, persist: testCase.persist)
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))

        try machine.stop()
        var before = machine.backend.counts
        let module = try machine.plug(.mebibytes(8))
        var plug = machine.backend.counts - before
        // One section. Its last page is held back and sent after the batch, so that the device must answer.
        #expect(plug.updates == (testCase.keepsMaps ? 2 : 0))
        #expect(plug.invalidates == 0)
        #expect(plug.batches == (testCase.keepsMaps ? 1 : 0))
        before = machine.backend.counts
        try machine.start()
        #expect(
            (machine.backend.counts - before).updates
                == (testCase.keepsMaps ? 0 : machine.mapMessageCount))

        try #require(machine.receives(Self.turnover))
        #expect(module.block.allocatedByteCount > .zero, "no frame stood in the new memory")

        #expect(machine.withdrawBuffers())
        try machine.stop()
        before = machine.backend.counts
        try machine.unplug(module)
        plug = machine.backend.counts - before
        #expect(plug.updates == 0)
        #expect(plug.invalidates == (testCase.keepsMaps ? 1 : 0))
        before = machine.backend.counts
        try machine.start()
        #expect(
            (machine.backend.counts - before).updates
                == (testCase.keepsMaps ? 0 : machine.mapMessageCount))

        try #require(machine.receives(300))
        let frames = machine.settle()
        #expect(frames.isFlawless && frames.abandoned == 0, "\(frames)")
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test("a module that the driver's buffers cannot leave stays, and leaves later")
    func staysWhileInUse() throws {
        let machine = try makeMachine()
        try machine.start()
        machine.driver.startTraffic()
        let module = try machine.plug(.mebibytes(8))
        try #require(machine.receives(Self.turnover))
        try machine.stop()
        // A device may have used every buffer up just before: the driver posts new ones from the module.
        let ring = try #require(try GuestRing(machine, 0))
        #expect(eventually { ring.isFull })
        #expect(throws: MachineError.self) { try machine.unplug(module, patience: .milliseconds(1)) }
        #expect(machine.memory.modules.count == 1)
        try machine.start()
        try machine.unplug(module)
        #expect(machine.memory.modules.isEmpty)
        #expect(machine.settle().isFlawless)
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test("a module too small for the driver's buffers is refused, with nothing plugged")
    func tooSmall() throws {
        let machine = try makeMachine()
        let before = machine.backend.counts
        #expect(throws: MachineError.self) { try machine.plug(.kibibytes(64)) }
        #expect(machine.memory.modules.isEmpty)
        #expect(machine.backend.counts == before)
    }

    @Test(
        "pulled out under buffers of a live device: faults with its addresses, and life goes on",
        arguments: MapsCase.all)
    func surpriseRemoval(_ testCase: MapsCase) throws {
        let machine = try makeMachine(testCase.device, persist: testCase.persist)
        try machine.start()
        machine.driver.startTraffic()
        let module = try machine.plug(.mebibytes(8))
        try #require(machine.receives(Self.turnover))
        try machine.memory.unplug(module.block)
        #expect(eventually { (machine.simulation?.faultCount ?? 0) > 0 })
        let faults = machine.simulation?.recentFaults ?? []
        #expect(
            !faults.isEmpty
                && faults.allSatisfy {
                    (module.range.first.rawValue...module.range.last.rawValue).contains($0.address.rawValue)
                }
        )
        // Chains that fault come back with nothing in them, so that the driver gets all of its buffers.
        #expect(machine.withdrawBuffers())
        let faultCount = machine.simulation?.faultCount
        try #require(machine.receives(Self.turnover))
        #expect(machine.simulation?.faultCount == faultCount)
        let frames = machine.driver.counters.frames
        #expect(frames.duplicated == 0 && frames.unsent == 0)
        #expect(machine.simulation?.device.diagnostics.device.needsReset == false)
    }
}
