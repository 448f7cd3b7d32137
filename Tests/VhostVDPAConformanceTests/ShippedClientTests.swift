import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance

/// What released QEMU (hw/virtio/vhost-vdpa.c) and DPDK (virtio_user/vhost_vdpa.c) do, and what others' clients did
/// wrong, each as the kernel answers it.
@Suite("Clients that others shipped", .serialized)
struct ShippedClientTests {
    /// Devices, and whether an unacknowledged reset leaves them their maps: what a careless client lives on.
    static let luck: [(String, Bool)] = [
        ("sim", false), ("sim,use-va=off", false), ("sim,parent=dma-map", false), ("sim,kernel=6.1", false),
        ("sim,kernel=7.2", false), ("sim,profile=vdpasim-net", false), ("sim,compat-reset=off", true),
        ("sim,parent=platform", true), ("sim,parent=vp-vdpa", true), ("sim,parent=vendor", true),
        ("sim,parent=vduse", true), ("sim,parent=stateful", true), ("sim,parent=mlx5", false),
    ]

    static let suspendable = [
        "sim", "sim,use-va=off", "sim,kernel=6.1", "sim,parent=dma-map", "sim,parent=platform",
        "sim,parent=vendor", "sim,parent=vduse,kernel=7.3", "sim,parent=mlx5",
    ]

    @Test(
        "QEMU: SUSPEND, reset, all unmapped after it, all mapped again: frames go on where they were",
        arguments: suspendable)
    func qemuStopAndStart(_ specification: String) throws {
        let stage = try ClientStage(specification)
        let client = stage.client
        stage.acknowledgeAsQEMU()
        stage.mapInBatch()
        try stage.driver.start(client)
        try stage.driver.expectTraffic("before the stop")
        #expect(client.call(Request.suspend) == nil)
        let bases = try (UInt32(0)..<2).map { try client.getVring(Request.getVringBase, $0).get() }
        #expect(bases[1] == 1)
        #expect(client.setStatus(0) == nil)
        stage.unmapInBatch()
        stage.mapInBatch()
        try stage.driver.start(client, goingOnAt: bases)
        try stage.driver.expectTraffic("after the start")
    }

    @Test("QEMU on vp_vdpa: no SUSPEND and no ring position, so only rings that start over work")
    func qemuWithoutPositions() throws {
        let stage = try ClientStage("sim,parent=vp-vdpa")
        let client = stage.client
        stage.acknowledgeAsQEMU()
        stage.mapInBatch()
        try stage.driver.start(client)
        try stage.driver.expectTraffic("before the stop")
        #expect(client.call(Request.suspend) == Errno(rawValue: 95))
        #expect(client.getVring(Request.getVringBase, 1) == .failure(Errno(rawValue: 95)))
        #expect(client.setStatus(0) == nil)
        stage.unmapInBatch()
        stage.mapInBatch()
        let failure = #expect(throws: RuleInterruption.self) {
            try stage.driver.start(client, goingOnAt: [1, 1])
        }
        #expect(
            failure
                == .failed(
                    expected: "SET_VRING_BASE 0: success", seen: "SET_VRING_BASE 0: EOPNOTSUPP"))
        #expect(client.setStatus(0) == nil)
        try stage.driver.start(client)
        try stage.driver.expectTraffic("from empty rings")
    }

    @Test(
        "QEMU: the probe of its control queue resets after the first map, and takes the map with it",
        arguments: luck)
    func qemuProbe(_ specification: String, _ keepsMaps: Bool) throws {
        let stage = try ClientStage(specification)
        let client = stage.client
        stage.acknowledgeAsQEMU()
        stage.mapInBatch()
        try client.setStatus(upTo: 0xb, features: stage.traits.features & (1 << 32 | 1 << 33))
        _ = client.getVring(Request.getVringGroup, 0)
        #expect(client.setStatus(0) == nil)
        try stage.driver.start(client)
        #expect(try stage.movesFrames() == keepsMaps)
    }

    @Test(
        "QEMU 11.1.3 without a control queue: VRING_ENABLE before SET_VRING_ADDR leaves vdpa_sim's queue dead",
        arguments: ["sim", "sim,parent=dma-map", "sim,profile=vdpasim-net"])
    func qemuEnablesFirst(_ specification: String) throws {
        let stage = try ClientStage(specification)
        let client = stage.client
        stage.mapInBatch()
        for queue in UInt32(0)..<2 { try stage.driver.enable(client, queue: queue, 1) }
        try stage.driver.start(client)
        #expect(try !stage.movesFrames())
        #expect(client.setStatus(0) == nil)
        stage.unmapInBatch()
        stage.mapInBatch()
        try stage.driver.start(client)
        try stage.driver.expectTraffic("addresses first")
    }

    @Test("QEMU: an UPDATE that fails is logged and passed over, and the device starts with a hole")
    func qemuGoesOnWithAHole() throws {
        let stage = try ClientStage("sim,use-va=off,memlock=4K", probing: "sim,use-va=off")
        let client = stage.client
        let other = try TestPages(pages: 1)
        #expect(client.update(1 << 40, other) == nil)
        #expect(stage.driver.map(client) == .badAddress)
        try stage.driver.start(client)
        #expect(try !stage.movesFrames())
    }

    @Test("QEMU: a BATCH_END that failed is success to its client, and nothing moves")
    func qemuCannotSeeBatchEnd() throws {
        let stage = try ClientStage("sim,fault=set-map", probing: "sim")
        stage.mapInBatch()
        try stage.driver.start(stage.client)
        #expect(try !stage.movesFrames())
    }

    @Test(
        "DPDK: a port that is initialised again opens afresh: no UPDATE of it is an overlap",
        arguments: luck.map(\.0))
    func dpdkInitialisesAgain(_ specification: String) throws {
        let stage = try ClientStage(specification)
        for round in 1...2 {
            #expect(stage.driver.map(stage.client) == nil)
            try stage.driver.start(stage.client)
            try stage.driver.expectTraffic("round \(round)")
            try stage.reopen()
        }
    }

    @Test("One that never acknowledges and never remaps lives on the parent's kindness", arguments: luck)
    func neverRemaps(_ specification: String, _ keepsMaps: Bool) throws {
        let stage = try ClientStage(specification)
        let client = stage.client
        #expect(stage.driver.map(client) == nil)
        try stage.driver.start(client)
        try stage.driver.expectTraffic("before the reset")
        #expect(client.setStatus(0) == nil)
        try stage.driver.start(client)
        #expect(try stage.movesFrames() == keepsMaps)
    }

    @Test("One that remaps without invalidating is refused, and has what the reset left", arguments: luck)
    func remapsWithoutInvalidating(_ specification: String, _ keepsMaps: Bool) throws {
        let stage = try ClientStage(specification)
        let client = stage.client
        #expect(stage.driver.map(client) == nil)
        #expect(client.setStatus(0) == nil)
        #expect(stage.driver.map(client) == .badAddress)
        try stage.driver.start(client)
        #expect(try stage.movesFrames() == keepsMaps)
    }

    @Test("One that maps before it sets backend features maps space 0, whichever it names")
    func mapsBeforeBackendFeatures() throws {
        let stage = try ClientStage("sim")
        let client = stage.client
        #expect(stage.driver.map(client, asid: 1) == nil)
        #expect(client.acknowledge(1 << BackendBit.addressSpaces) == nil)
        #expect(stage.driver.map(client, asid: 0) == .badAddress)
        #expect(stage.driver.unmap(client, asid: 1) == .badAddress)
        try stage.driver.start(client)
        try stage.driver.expectTraffic("in space 0")
    }

    @Test(
        "One that unmaps before it has quieted the device: a DMA fault, and no frame moves",
        arguments: ["sim", "sim,use-va=off", "sim,parent=dma-map", "sim,parent=platform"])
    func unmapsUnderLiveDevice(_ specification: String) throws {
        let stage = try ClientStage(specification)
        #expect(stage.driver.map(stage.client) == nil)
        try stage.driver.start(stage.client)
        try stage.driver.expectTraffic("mapped")
        #expect(stage.driver.unmap(stage.client) == nil)
        #expect(try !stage.movesFrames())
    }

    @Test(
        "One that gives ring addresses of its own process instead of IOVAs moves nothing",
        arguments: suspendable)
    func hostAddresses(_ specification: String) throws {
        let stage = try ClientStage(specification)
        #expect(stage.driver.map(stage.client) == nil)
        try stage.driver.start(stage.client, at: UInt64(stage.driver.page.address))
        #expect(try !stage.movesFrames())
    }
}
