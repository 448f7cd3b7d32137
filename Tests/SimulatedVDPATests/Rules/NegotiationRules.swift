import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance
import Virtio

@Suite("What the simulated devices offer")
struct NegotiationRules {
    @Test(
        "11. GET_BACKEND_FEATURES",
        arguments: [
            ("sim", 0x17e), ("sim,kernel=6.1", 0x1e), ("sim,kernel=7.2", 0x17e), ("sim,kernel=7.3", 0x17e),
            ("sim,reset-map=off", 0x7e), ("sim,parent=dma-map", 0x17e),
        ])
    func offeredBackendFeatures(_ specification: String, _ expected: UInt64) throws {
        #expect(try Client(specification).get(Request.getBackendFeatures, count: 8) == .success(expected))
    }

    @Test("17. vp_vdpa takes features without ACCESS_PLATFORM; its device then does not take FEATURES_OK")
    func withoutAccessPlatform() throws {
        let client = try Client("sim,parent=vp-vdpa")
        #expect(client.setStatus(3) == nil)
        #expect(client.call(Request.setFeatures, UInt64(1 << 32)) == nil)
        for status in [UInt8(0xb), 0xf] {
            #expect(client.setStatus(status) == nil)
            #expect(client.status == 3)
        }
        #expect(client.call(Request.setFeatures, UInt64(1 << 33 | 1 << 32)) == nil)
        #expect(client.setStatus(0xb) == nil)
        #expect(client.status == 0xb)
    }

    @Test(
        "A device has the features that it goes by as soon as they are set, until the reset; others it never sees",
        arguments: [
            ("sim,profile=vdpasim-net", [.version1, .controlQueue]), ("sim,parent=mlx5", .controlQueue),
            ("sim", []),
        ] as [(String, VirtioFeatures)])
    func featuresOfTheMoment(_ specification: String, _ own: VirtioFeatures) throws {
        let client = try Client.owned(specification)
        #expect(client.setStatus(3) == nil)
        try client.expectSuccess(client.setVring(Request.setVringNum, 1, 8))
        try client.expectSuccess(client.setVring(Request.setVringEnable, 1, 1))
        #expect(client.dataPath.features == [])
        let features: VirtioFeatures = [.version1, .accessPlatform, .controlQueue, .mac]
        #expect(client.call(Request.setFeatures, features.low) == nil)
        #expect(client.dataPath.features == own)
        #expect(client.setStatus(0) == nil)
        #expect(client.dataPath.features == [])
    }

    @Test("22. vp_vdpa's rings have 256 entries at the most")
    func vpVDPARings() throws {
        let client = try Client.owned("sim,parent=vp-vdpa")
        #expect(client.get(Request.getVringNum, count: 2) == .success(256))
        #expect(client.getVring(Request.getVringSize, 0) == .success(256))
        #expect(client.setVring(Request.setVringNum, 0, 256) == nil)
        #expect(client.setVring(Request.setVringNum, 0, 512) == .invalidArgument)
    }

    @Test("The default device's features", arguments: Specifications.all)
    func deviceFeatures(_ specification: String) throws {
        // MTU, MAC, STATUS, ANY_LAYOUT, INDIRECT_DESC, EVENT_IDX, VERSION_1, ACCESS_PLATFORM.
        #expect(try Client(specification).get(Request.getFeatures, count: 8) == .success(0x3_3801_0028))
    }
}
