import EmulatedMachine
import GuestMemory
import LinuxHost
import TestSupport
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtQueue
import VirtioNet

/// The decisive property: maps are left alone around a stop and start only where IOTLB_PERSIST is negotiated.
@Suite("A stop and start under traffic", .timeLimit(.minutes(15)))
struct CycleTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let device: String
        let persist: PersistPolicy
        let keepsMaps: Bool

        var testDescription: String {
            "\(device), persist \(persist): maps \(keepsMaps ? "kept" : "rebuilt")"
        }
    }

    static let cases = [
        Case(device: "sim", persist: .auto, keepsMaps: true),
        Case(device: "sim", persist: .off, keepsMaps: false),
        Case(device: "sim,kernel=6.1", persist: .auto, keepsMaps: false),
        Case(device: "sim,kernel=6.1", persist: .off, keepsMaps: false),
    ]

    @Test(
        "loses, duplicates and corrupts nothing, and sends map messages only without PERSIST",
        arguments: cases)
    func cycles(_ testCase: Case) throws {
        let machine = try makeMachine(testCase.device, persist: testCase.persist)
        try machine.start()
        machine.driver.startTraffic()
        for _ in 0..<20 {
            try #require(machine.receives(300))
            let cycle = try machine.cycle()
            #expect(cycle.rings == .kept)
            #expect(cycle.stopDuration > .zero)
            #expect(cycle.duration > cycle.stopDuration)
            #expect(cycle.counts.updates == (testCase.keepsMaps ? 0 : machine.mapMessageCount))
            #expect(cycle.counts.invalidates == (testCase.keepsMaps ? 0 : machine.mappedSectionCount))
            #expect(cycle.counts.batches == (testCase.keepsMaps ? 0 : 2))
        }
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames)")
        #expect(frames.received > 6000)
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test(
        "maps that are kept without the bit are lost: DMA faults are counted with their addresses, nothing moves"
    )
    func forcedWithoutTheBit() throws {
        let machine = try makeMachine("sim,kernel=6.1", persist: .force)
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        _ = try machine.cycle()
        // A frame that had left the rings before the stop may still come back.
        machine.driver.synchronise()
        let received = machine.driver.counters.frames.received
        let faulted = { machine.simulation?.faultCount ?? 0 }
        try #require(eventually { faulted() > 0 })
        // The guest goes on kicking, the device looks again, and finds nothing mapped.
        let before = faulted()
        try #require(
            eventually {
                for signals in machine.driver.signals { signals.kick.signal() }
                return faulted() > before
            })
        machine.driver.synchronise()
        #expect(machine.driver.counters.frames.received == received)
        #expect(machine.driver.counters.frames.outstanding > 0)
        let faults = machine.simulation?.recentFaults ?? []
        let ring = try machine.driver.layout(0, size: machine.driverConfiguration.queueSize)
        #expect(faults.contains { $0.address == ring.addresses.descriptorArea })
        machine.driver.stopTraffic()
        try machine.stop()
        machine.driver.synchronise()
        let account = machine.accounts()
        #expect(machine.driver.counters.frames.received == received)
        #expect(account[0].device?.left == received)
    }

    @Test("forced on a device whose kernel keeps them, maps that nobody promised to keep are there")
    func forcedWhereTheDeviceKeeps() throws {
        let machine = try makeMachine("sim", persist: .force)
        try machine.start()
        machine.driver.startTraffic()
        _ = try machine.cycle()
        try #require(machine.receives(300))
        #expect(machine.settle().isFlawless)
    }
}
