import SystemPackage
import Testing
import VhostVDPA
import VhostVDPAConformance

/// What mlx5 has and vdpa_sim has not (drivers/vdpa/mlx5/net/mlx5_vnet.c).
@Suite("mlx5's groups, suspend and control queue")
struct MLX5Tests {
    private static let both: UInt64 = 1 << BackendBit.addressSpaces | 1 << BackendBit.descriptorSpace

    @Test("Data queues, their descriptors and the control queue are groups of their own", arguments: [1, 3])
    func groups(_ pairs: UInt32) throws {
        let stage = try ClientStage("sim,parent=mlx5,queues=\(pairs)")
        let client = stage.client
        #expect(client.get(Request.getVqsCount, count: 4) == .success(UInt64(2 * pairs + 1)))
        #expect(client.get(Request.getGroupNum, count: 4) == .success(3))
        #expect(client.get(Request.getASNum, count: 4) == .success(2))
        for queue in 0..<2 * pairs {
            #expect(client.getVring(Request.getVringGroup, queue) == .success(0))
            #expect(client.getVring(Request.getVringDescGroup, queue) == .success(2))
        }
        #expect(client.getVring(Request.getVringGroup, 2 * pairs) == .success(1))
        #expect(client.getVring(Request.getVringDescGroup, 2 * pairs) == .success(1))
    }

    @Test("DESC_ASID is acknowledged with IOTLB_ASID alone")
    func acknowledgement() throws {
        let stage = try ClientStage("sim,parent=mlx5")
        let client = stage.client
        #expect(client.acknowledge(1 << BackendBit.descriptorSpace) == .invalidArgument)
        #expect(client.acknowledge(Self.both) == nil)
        #expect(client.setVring(Request.setGroupASID, 2, 1) == nil)
        #expect(client.setVring(Request.setGroupASID, 2, 2) == .invalidArgument)
        #expect(client.setVring(Request.setGroupASID, 3, 0) == .noBufferSpace)
        #expect(stage.traits.groupCount == 3)
    }

    @Test(
        "Rings translate through the descriptors' group, buffers through the queues'; a reset sends all to space 0"
    )
    func descriptorSpace() throws {
        let stage = try ClientStage("sim,parent=mlx5")
        let (client, driver) = (stage.client, stage.driver)
        #expect(client.acknowledge(Self.both) == nil)
        #expect(client.setVring(Request.setGroupASID, 2, 1) == nil)
        #expect(driver.map(client, asid: 0) == nil)
        try driver.start(client)
        try driver.expectNoTraffic("no ring in space 1")
        #expect(driver.map(client, asid: 1) == nil)
        try driver.expectTraffic("rings in space 1, buffers in space 0")
        // A reset without PERSIST takes both spaces from the device; only space 0 comes back.
        #expect(client.setStatus(0) == nil)
        #expect(driver.map(client, asid: 0) == .badAddress, "vhost-vdpa has it still")
        #expect(driver.unmap(client, asid: 0) == nil)
        #expect(driver.map(client, asid: 0) == nil)
        try driver.start(client)
        try driver.expectTraffic("all in space 0")
    }

    @Test("SUSPEND lasts whatever status is set, and RESUME serves what was posted")
    func suspend() throws {
        let stage = try ClientStage("sim,parent=mlx5")
        let (client, driver) = (stage.client, stage.driver)
        #expect(driver.map(client) == nil)
        try driver.start(client)
        try driver.expectTraffic("running")
        #expect(client.call(Request.suspend) == nil)
        #expect(client.setStatus(0xf) == nil)
        try driver.expectNoTraffic("suspended")
        #expect(client.call(Request.resume) == nil)
        try driver.expectProgress("resumed")
    }
}
