import EmulatedMachine
import GuestMemory
import LinuxHost
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPA
import VhostVDPABackend
import VirtioNet

@Suite("A machine on every kind of parent", .timeLimit(.minutes(15)))
struct ParentTests {
    /// A healthy device, and what stands across a reset where the maps are kept whenever they can be.
    struct Case: CustomTestStringConvertible {
        var device: String
        /// IOTLB_PERSIST is offered.
        var keeps = true
        /// The rings go on where they stood.
        var keepsRings = true

        var testDescription: String { device }
    }

    /// The simulated kernel of those that pin allows more than this machine's RLIMIT_MEMLOCK may.
    static let cases = [
        Case(device: "sim"), Case(device: "sim,kernel=6.1,use-va=off,memlock=unlimited", keeps: false),
        Case(device: "sim,kernel=6.1", keeps: false), Case(device: "sim,kernel=7.2"),
        Case(device: "sim,parent=dma-map"), Case(device: "sim,use-va=off,memlock=unlimited"),
        Case(device: "sim,reset-map=off,compat-reset=off", keeps: false),
        Case(device: "sim,parent=platform,memlock=unlimited"),
        Case(device: "sim,parent=platform,kernel=6.1,memlock=unlimited", keeps: false),
        Case(device: "sim,parent=platform,memlock=unlimited,fragment=2M"),
        Case(device: "sim,parent=vendor,memlock=unlimited"), Case(device: "sim,parent=vendor,use-va=on"),
        Case(device: "sim,parent=vduse", keeps: false, keepsRings: false),
        Case(device: "sim,parent=vduse,kernel=7.3", keeps: false),
        Case(device: "sim,parent=mlx5,memlock=unlimited"),
        Case(device: "sim,parent=stateful,memlock=unlimited", keepsRings: false),
        Case(device: "sim,parent=vp-vdpa,memlock=unlimited", keepsRings: false),
        Case(device: "sim,fault=late"),
    ]

    @Test(
        "traffic goes on across stops and starts: maps kept where PERSIST is acknowledged, else rebuilt",
        arguments: cases, [PersistPolicy.auto, .off])
    func cycles(_ testCase: Case, persist: PersistPolicy) throws {
        let machine = try makeMachine(testCase.device, persist: persist)
        defer { machine.close() }
        try machine.start()
        machine.driver.startTraffic()
        for _ in 0..<3 {
            try #require(machine.receives(200))
            let cycle = try machine.cycle()
            let isKept = persist == .auto && testCase.keeps
            #expect(cycle.counts.updates == (isKept ? 0 : machine.mapMessageCount))
            #expect(cycle.counts.invalidates == (isKept ? 0 : machine.mappedSectionCount))
            #expect(cycle.rings == (testCase.keepsRings ? .kept : .startedOver))
        }
        try #require(machine.receives(200))
        let frames = machine.settle()
        #expect(frames.isFlawless, "\(frames)")
        if testCase.keepsRings { #expect(frames.abandoned == 0, "\(frames)") }
        #expect(machine.simulation?.faultCount == 0)
    }

    @Test(
        "guest memory is what is pinned, and a close gives all of it back",
        arguments: [
            "sim,use-va=off,memlock=unlimited",
            "sim,parent=platform,fragment=4K,entries=65536,memlock=unlimited",
        ])
    func pinned(_ device: String) throws {
        let machine = try makeMachine(device)
        let simulation = try #require(machine.simulation)
        let entries = simulation.device.diagnostics.vhostEntries[0] ?? []
        let bytes = entries.reduce(0) { $0 + ($1.range.byteCount?.rawValue ?? 0) }
        #expect(bytes >= ByteCount.mebibytes(64).rawValue)
        #expect(simulation.device.diagnostics.pinnedPages * HostPage.byteCount >= Int(bytes))
        machine.close()
        #expect(simulation.device.diagnostics.vhostEntries.isEmpty)
    }

    @Test("memory over the limit is refused with the region and the limit, and nothing stays pinned")
    func memlock() throws {
        let error = #expect(throws: MachineError.self) {
            try makeMachine("sim,parent=platform,memlock=16M")
        }
        guard case .backend(let refusal) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(refusal.code == .mapRefused)
        #expect(refusal.errno == .badAddress)
        #expect(refusal.message.contains("ram"), "\(refusal)")
        #expect(refusal.message.contains("locked memory"), "\(refusal)")
    }
}
