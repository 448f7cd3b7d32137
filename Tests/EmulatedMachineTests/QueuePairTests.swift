import EmulatedMachine
import GuestMemory
import SimulatedVDPA
import TestSupport
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

/// A machine with several queue pairs: everything that holds for one holds for each.
@Suite("A machine with several queue pairs", .timeLimit(.minutes(15)))
struct QueuePairTests {
    private func makePairs(
        _ count: Int, _ testCase: MapsCase, configuredFor driven: Int? = nil
    ) throws -> EmulatedMachine {
        try makeMachine(
            "\(testCase.device),queues=\(count)", persist: testCase.persist, queuePairs: driven ?? count)
    }

    /// Waits until each pair has received `count` more frames.
    private func eachReceives(_ machine: EmulatedMachine, _ count: UInt64) -> Bool {
        let counters = (0..<machine.configuration.queuePairs).map { machine.driver.counters(ofPair: $0) }
        let targets = counters.map { $0.frames.received + count }
        return eventually { zip(counters, targets).allSatisfy { $0.frames.received >= $1 } }
    }

    @Test(
        "starts each where it stood, and loses, duplicates and corrupts nothing", arguments: MapsCase.all,
        [2, 5])
    func cycles(_ testCase: MapsCase, count: Int) throws {
        let machine = try makePairs(count, testCase)
        try machine.start()
        machine.driver.startTraffic()
        for _ in 0..<10 {
            try #require(eachReceives(machine, 100))
            let cycle = try machine.cycle()
            #expect(cycle.rings == .kept)
            // Maps are the device's, not a queue's: as many messages as with one pair.
            #expect(cycle.counts.updates == (testCase.keepsMaps ? 0 : machine.mapMessageCount))
            #expect(cycle.counts.invalidates == (testCase.keepsMaps ? 0 : machine.mappedSectionCount))
        }
        try #require(eachReceives(machine, 100))
        let frames = machine.settle()
        #expect(frames.isFlawless && frames.abandoned == 0, "\(frames)")
        #expect(machine.simulation?.faultCount == 0)
        // A worker that has stopped its queues has published what it counted.
        try machine.stop()
        #expect(machine.simulation?.counts.packets == 2 * frames.received)
    }

    @Test("takes buffers from memory plugged in, and gives them back", arguments: MapsCase.all)
    func plug(_ testCase: MapsCase) throws {
        let machine = try makePairs(2, testCase)
        try machine.start()
        machine.driver.startTraffic()
        try #require(eachReceives(machine, 300))
        let module = try machine.plug(.mebibytes(8))
        try #require(eachReceives(machine, 2000))
        #expect(module.block.allocatedByteCount > .zero, "no frame stood in the new memory")
        try machine.unplug(module)
        try #require(eachReceives(machine, 300))
        let frames = machine.settle()
        #expect(frames.isFlawless && frames.abandoned == 0, "\(frames)")
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test("has every driver start over where the device cannot say where its rings stand")
    func withoutRingState() throws {
        let machine = try makeMachine("sim,parent=vp-vdpa,memlock=unlimited,queues=2", queuePairs: 2)
        try machine.start()
        machine.driver.startTraffic()
        for _ in 0..<5 {
            try #require(eachReceives(machine, 100))
            #expect(try machine.cycle().rings == .startedOver)
        }
        try #require(eachReceives(machine, 100))
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames)")
    }

    @Test("drives fewer pairs than the device has, where it is told so")
    func fewer() throws {
        let machine = try makePairs(4, MapsCase.all[0], configuredFor: 1)
        try machine.start()
        machine.driver.startTraffic()
        try #require(eachReceives(machine, 100))
        let stopped = try machine.stopDevice()
        #expect(stopped.states.count == 2)
    }

    @Test("cannot drive more than the device has")
    func more() throws {
        let error = try #require(throws: MachineError.self) {
            try makePairs(1, MapsCase.all[0], configuredFor: 2)
        }
        #expect("\(error)".contains("2 queue pairs need 4 queues, and the device has 2"))
    }

    @Test("says how much memory its driver needs where there is too little")
    func memory() throws {
        let error = try #require(throws: MachineError.self) { try makePairs(16, MapsCase.all[0]) }
        #expect("\(error)".contains("give the machine"))
    }
}
