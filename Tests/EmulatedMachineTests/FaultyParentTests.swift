import EmulatedMachine
import GuestMemory
import SimulatedVDPA
import SystemPackage
import TestSupport
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

@Suite("A machine on a faulty parent", .timeLimit(.minutes(15)))
struct FaultyParentTests {
    @Test(
        "loses-maps: a promise that is broken shows as DMA faults with addresses in guest memory",
        arguments: ["sim", "sim,parent=dma-map", "sim,parent=platform,memlock=unlimited"])
    func losesMaps(_ device: String) throws {
        let machine = try makeMachine("\(device),fault=loses-maps")
        defer { machine.close() }
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        let cycle = try machine.cycle()
        #expect(cycle.counts.updates == 0, "the promise is believed")
        let simulation = try #require(machine.simulation)
        #expect(eventually { simulation.faultCount > 0 })
        let faults = simulation.recentFaults
        #expect(
            faults.allSatisfy { fault in
                machine.memory.addressSpace.view.sections.contains { section in
                    section.range.first.rawValue <= fault.address.rawValue
                        && fault.address.rawValue <= section.range.last.rawValue
                }
            })
        // A recovery maps nothing anew where PERSIST is believed; a machine of its own does.
        machine.close()
        let careful = try makeMachine("\(device),fault=loses-maps", persist: .off)
        defer { careful.close() }
        try careful.start()
        careful.driver.startTraffic()
        for _ in 0..<3 {
            try #require(careful.receives(300))
            _ = try careful.cycle()
        }
        try #require(careful.receives(300))
        #expect(careful.settle().isFlawless)
        #expect(careful.simulation?.faultCount == 0)
    }

    /// A fault that refuses a map, the device it strikes, and what the error must say.
    static let refusals: [(SimulatedFault, String, String)] = [
        (.setMap, "sim", "set_map failed"),
        (.setMap, "sim,parent=vduse", "set_map failed"),
        (.setMap, "sim,use-va=off,memlock=unlimited", "set_map failed"),
        (.mapHalfWay, "sim,parent=dma-map", "UPDATE(asid: 0, iova: [0xe0000, 0xeefff]"),
        (
            .mapHalfWay, "sim,parent=vendor,fragment=1M,memlock=unlimited",
            "UPDATE(asid: 0, iova: [0xe0000, 0xeefff]"
        ),
    ]

    @Test(
        "a map that is refused names the region, leaves nothing mapped, and the machine can start again",
        arguments: refusals)
    func refusedMap(_ fault: SimulatedFault, _ device: String, _ words: String) throws {
        let machine = try makeMachine(device, persist: .off)
        defer { machine.close() }
        let simulation = try #require(machine.simulation)
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        try machine.stop()
        simulation.device.simulated?.faults.inject(fault)
        for _ in 0..<2 {
            let error = #expect(throws: MachineError.self) { try machine.start() }
            guard case .backend(let refusal) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(refusal.code == .mapRefused)
            #expect(refusal.errno == .badAddress)
            #expect(refusal.message.contains("the device refused memory"), "\(refusal)")
            #expect(refusal.message.contains(words), "\(refusal)")
            #expect(simulation.device.diagnostics.mapFailures.contains { $0.cause == .ioError })
            #expect(machine.backend.state == .stopped)
            #expect(machine.backend.mapping == .unmapped)
            #expect(simulation.device.diagnostics.vhostEntries[0]?.isEmpty == true)
            #expect(simulation.device.diagnostics.device.addressSpaces[0].entries.isEmpty)
        }
        simulation.device.simulated?.faults.repair()
        try machine.start()
        try #require(machine.receives(300))
        #expect(machine.settle().isFlawless)
        #expect(simulation.faultCount == 0)
    }

    @Test(
        "a device that cannot map from the start is no machine: the error names the region",
        arguments: ["sim,fault=set-map", "sim,parent=dma-map,fault=map-half-way"])
    func refusedAtOnce(_ device: String) throws {
        let error = #expect(throws: MachineError.self) { try makeMachine(device) }
        guard case .backend(let refusal) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(refusal.code == .mapRefused)
        #expect(refusal.message.contains("the device refused memory"), "\(refusal)")
    }

    @Test(
        "suspend: the device is reset without its ring positions, frames in the rings are abandoned",
        arguments: ["sim", "sim,parent=platform,memlock=unlimited"])
    func suspend(_ device: String) throws {
        let machine = try makeMachine("\(device),fault=suspend")
        defer { machine.close() }
        try machine.start()
        machine.driver.startTraffic()
        for _ in 0..<3 {
            try #require(machine.receives(300))
            #expect(try machine.cycle().rings == .startedOver)
        }
        try #require(machine.receives(300))
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames)")
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test(
        "dies: the configuration interrupt says so, a recovery starts it again, nothing comes twice",
        arguments: [
            "sim", "sim,parent=platform,memlock=unlimited", "sim,parent=vp-vdpa,memlock=unlimited",
            "sim,parent=vduse",
        ])
    func dies(_ device: String) throws {
        let machine = try makeMachine("\(device),fault=dies")
        defer { machine.close() }
        try machine.start()
        machine.driver.startTraffic()
        try #require(machine.receives(300))
        _ = try machine.cycle()
        try #require(machine.awaitsNeedsReset())
        #expect(machine.simulation?.device.diagnostics.device.runningQueues.isEmpty == true)
        try machine.recover()
        try #require(machine.receives(300))
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames)")
        #expect(machine.simulation?.faultCount == 0)
    }
}
