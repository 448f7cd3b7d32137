import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

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

    @Test("The default device's features", arguments: Specifications.all)
    func deviceFeatures(_ specification: String) throws {
        // MTU, MAC, STATUS, ANY_LAYOUT, INDIRECT_DESC, EVENT_IDX, VERSION_1, ACCESS_PLATFORM.
        #expect(try Client(specification).get(Request.getFeatures, count: 8) == .success(0x3_3801_0028))
    }
}
