import SimulatedVDPA
import SystemPackage
import Testing

@Suite("Rules 11 to 20: features and status")
struct NegotiationRules {
    @Test(
        "11. GET_BACKEND_FEATURES",
        arguments: [
            ("sim", 0x17e), ("sim,kernel=6.1", 0x1e), ("sim,kernel=7.2", 0x17e),
            ("sim,reset-map=off", 0x7e), ("sim,parent=dma-map", 0x17e),
        ])
    func offeredBackendFeatures(_ specification: String, _ expected: UInt64) throws {
        #expect(try Client(specification).get(Request.getBackendFeatures, count: 8) == expected)
    }

    @Test("12. SET_BACKEND_FEATURES with bit 9, or bit 0, is EOPNOTSUPP", arguments: Specifications.all)
    func unknownBackendFeatures(_ specification: String) throws {
        let client = try Client(specification)
        for bit in [UInt64(0), 9, 63] {
            #expect(client.call(Request.setBackendFeatures, 1 << bit) == .operationNotSupported)
        }
    }

    @Test(
        "13. SET_BACKEND_FEATURES with PERSIST needs a parent that keeps maps",
        arguments: [
            ("sim", nil), ("sim,kernel=6.1", .operationNotSupported),
            ("sim,reset-map=off", .operationNotSupported), ("sim,parent=dma-map", nil),
        ] as [(String, Errno?)])
    func persist(_ specification: String, _ expected: Errno?) throws {
        #expect(try Client(specification).call(Request.setBackendFeatures, 1 << 8) == expected)
    }

    @Test("14. DESC_ASID without ASID is EINVAL, with it EOPNOTSUPP", arguments: Specifications.persistent)
    func descriptorAddressSpace(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.call(Request.setBackendFeatures, 1 << 7) == .invalidArgument)
        #expect(client.call(Request.setBackendFeatures, 1 << 7 | 1 << 3) == .operationNotSupported)
    }

    @Test("15. Bits 1, 2, 3 and 6 are accepted unchecked", arguments: Specifications.persistent)
    func uncheckedBits(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.call(Request.setBackendFeatures, 0x4e) == nil)
        #expect(client.call(Request.setBackendFeatures, 0) == nil)
    }

    @Test("16. SET_BACKEND_FEATURES after DRIVER_OK succeeds", arguments: Specifications.all)
    func backendFeaturesAfterDriverOK(_ specification: String) throws {
        let client = try Client.owned(specification)
        try client.start()
        #expect(client.call(Request.setBackendFeatures, 0x6) == nil)
    }

    @Test("17. SET_FEATURES without ACCESS_PLATFORM is EINVAL", arguments: Specifications.all)
    func accessPlatform(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.call(Request.setFeatures, 1 << 32) == .invalidArgument)
        #expect(client.call(Request.setFeatures, 1 << 32 | 1 << 33) == nil)
    }

    @Test(
        "18. SET_FEATURES after FEATURES_OK is EBUSY, even with a bad pointer", arguments: Specifications.all)
    func featuresAfterFeaturesOK(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.call(Request.setFeatures, address: 8) == .badAddress)
        #expect(client.setStatus(0xb) == nil)
        #expect(client.call(Request.setFeatures, 1 << 33) == .resourceBusy)
        #expect(client.call(Request.setFeatures, address: 8) == .resourceBusy)
    }

    @Test("19. A status bit cannot be dropped, all of them can", arguments: Specifications.all)
    func droppedStatusBit(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.setStatus(0xf) == nil)
        #expect(client.setStatus(0x7) == .invalidArgument)
        #expect(client.status == 0xf)
        #expect(client.setStatus(0) == nil)
        #expect(client.status == 0)
    }

    @Test("20. SET_STATUS 4 from 0 succeeds and reads 4", arguments: Specifications.all)
    func driverOKAlone(_ specification: String) throws {
        let client = try Client(specification)
        #expect(client.setStatus(4) == nil)
        #expect(client.status == 4)
    }

    @Test("The default device's features", arguments: Specifications.all)
    func deviceFeatures(_ specification: String) throws {
        // MTU, MAC, STATUS, ANY_LAYOUT, INDIRECT_DESC, EVENT_IDX, VERSION_1, ACCESS_PLATFORM.
        #expect(try Client(specification).get(Request.getFeatures, count: 8) == 0x3_3801_0028)
    }
}
