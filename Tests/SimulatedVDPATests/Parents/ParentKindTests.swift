import Glibc
import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

@Suite("The kinds of parent")
struct ParentKindTests {
    @Test(
        "What each offers as backend features",
        arguments: [
            ("sim", 0x17e), ("sim,kernel=6.1", 0x1e), ("sim,parent=dma-map", 0x17e),
            // IOTLB_PERSIST, SUSPEND and RESUME; nobody declares ENABLE_AFTER_DRIVER_OK.
            ("sim,parent=platform", 0x13e), ("sim,parent=platform,kernel=6.1", 0x1e),
            // Everything, DESC_ASID included.
            ("sim,parent=mlx5", 0x1fe), ("sim,parent=mlx5,kernel=7.3", 0x1fe),
            ("sim,parent=mlx5,reset-map=off", 0xfe),
            ("sim,parent=stateful", 0x10e), ("sim,parent=stateful,kernel=6.1", 0x0e),
            // As read from vp_vdpa on 6.12.117 and 6.1.192.
            ("sim,parent=vp-vdpa", 0x10e), ("sim,parent=vp-vdpa,kernel=6.1", 0x0e),
            ("sim,parent=vduse", 0x0e), ("sim,parent=vduse,kernel=6.1", 0x0e),
            ("sim,parent=vduse,kernel=7.2", 0x0e), ("sim,parent=vduse,kernel=7.3", 0x1e),
            ("sim,parent=vendor", 0x17e), ("sim,reset-map=off", 0x7e),
        ] as [(String, UInt64)])
    func backendFeatures(_ specification: String, _ expected: UInt64) throws {
        let client = try Client(specification)
        #expect(client.get(Request.getBackendFeatures, count: 8) == .success(expected))
    }

    @Test("PERSIST is taken where it is offered, and EOPNOTSUPP elsewhere", arguments: Specifications.parents)
    func persistence(_ specification: String) throws {
        let client = try Client(specification)
        let isOffered = try client.get(Request.getBackendFeatures, count: 8).get() & 0x100 != 0
        #expect(client.call(Request.setBackendFeatures, 0x100) == (isOffered ? nil : Errno(rawValue: 95)))
    }

    @Test(
        "The IOVA range: 48 bits behind VT-d, all 64 on the chip",
        arguments: [
            ("sim", .max), ("sim,parent=vendor", .max), ("sim,parent=vduse", .max),
            ("sim,parent=platform", 0xffff_ffff_ffff), ("sim,parent=stateful", 0xffff_ffff_ffff),
            ("sim,parent=vp-vdpa", 0xffff_ffff_ffff),
        ] as [(String, UInt64)])
    func iovaRange(_ specification: String, _ last: UInt64) throws {
        let client = try Client.owned(specification)
        var bytes = [UInt8](repeating: 0xff, count: 16)
        #expect(client.call(Request.getIOVARange, bytes: &bytes) == nil)
        #expect(Array(bytes[..<8]) == Client.bytes(UInt64(0)))
        #expect(Array(bytes[8...]) == Client.bytes(last))
        guard last != .max else { return }
        let memory = Memory(pages: 2)
        let page = UInt64(Memory.pageSize)
        #expect(client.update(last + 1 - page, memory) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .invalidArgument)
        #expect(client.send(.update, iova: last + 1 - page, size: page, user: memory.address) == nil)
        #expect(client.deviceMaps.entries.map(\.range.last.rawValue) == [last])
    }

    @Test(
        "Groups and address spaces: one of each apart from the on-chip kinds, and a request for a group where it is answered",
        arguments: [
            ("sim", 2, nil), ("sim,parent=vendor", 2, nil), ("sim,parent=platform", 1, Errno(rawValue: 95)),
            ("sim,parent=vp-vdpa", 1, Errno(rawValue: 95)), ("sim,parent=vduse", 1, Errno(rawValue: 95)),
            ("sim,parent=stateful", 1, nil),
        ] as [(String, UInt64, Errno?)])
    func groups(_ specification: String, _ addressSpaces: UInt64, _ group: Errno?) throws {
        let client = try Client.owned(specification)
        #expect(client.get(Request.getASNum, count: 4) == .success(addressSpaces))
        #expect(client.get(Request.getGroupNum, count: 4) == .success(1))
        #expect(client.setVring(Request.getVringGroup, 0, 0) == group)
        #expect(client.call(Request.setBackendFeatures, 0x8) == nil)
        let refusal: Errno? = addressSpaces == 1 ? .badAddress : nil
        #expect(client.update(0x1000, Memory(pages: 1), asid: 1) == refusal)
    }

    @Test(
        "vp_vdpa cannot give or take a ring position: only 0, with FEATURES_OK, before the queue is enabled")
    func ringState() throws {
        let client = try Client.owned("sim,parent=vp-vdpa")
        let unsupported = Errno(rawValue: 95)
        #expect(client.getVring(Request.getVringBase, 0) == .failure(unsupported))
        #expect(client.setVring(Request.setVringBase, 0, 0) == unsupported, "no FEATURES_OK")
        #expect(client.setStatus(0x3) == nil)
        #expect(client.call(Request.setFeatures, 0x3_3000_0000) == nil)
        #expect(client.setStatus(0xb) == nil)
        #expect(client.setVring(Request.setVringBase, 0, 1) == unsupported, "not the beginning")
        #expect(client.setVring(Request.setVringBase, 0, 0) == nil)
        #expect(client.setVring(Request.setVringEnable, 0, 1) == nil)
        #expect(client.setVring(Request.setVringBase, 0, 0) == unsupported, "enabled")
        #expect(client.setStatus(0xf) == nil)
        #expect(client.getVring(Request.getVringBase, 0) == .failure(unsupported))
    }

    @Test("pds, ifcvf and octeon_ep give and take any ring position, and a reset forgets it")
    func ringStateWithoutSuspend() throws {
        let client = try Client.owned("sim,parent=stateful")
        #expect(client.setVring(Request.setVringBase, 1, 0xfffe) == nil)
        #expect(client.getVring(Request.getVringBase, 1) == .success(0xfffe))
        try client.start(base: 0xfffe)
        #expect(client.call(Request.suspend) == Errno(rawValue: 95))
        #expect(client.getVring(Request.getVringBase, 1) == .success(0xfffe), "while it runs")
        #expect(client.setVring(Request.setVringBase, 1, 0) == .invalidArgument)
        #expect(client.setStatus(0) == nil)
        #expect(client.getVring(Request.getVringBase, 1) == .success(0))
    }

    @Test(
        "SUSPEND: 0 before DRIVER_OK, afterwards EOPNOTSUPP where the parent has none; 6.1 asks the parent first",
        arguments: [
            ("sim,parent=platform", nil, nil), ("sim,parent=vp-vdpa", nil, 95), ("sim,parent=vduse", nil, 95),
            ("sim,parent=vduse,kernel=6.1", 95, 95), ("sim,parent=stateful", nil, 95),
            ("sim,parent=vduse,kernel=7.2", nil, 95), ("sim,parent=vduse,kernel=7.3", nil, nil),
            ("sim,parent=stateful,kernel=6.1", 95, 95),
        ] as [(String, Int32?, Int32?)])
    func suspend(_ specification: String, _ before: Int32?, _ after: Int32?) throws {
        let client = try Client.owned(specification)
        #expect(client.call(Request.suspend)?.rawValue == before)
        try client.start()
        #expect(client.call(Request.suspend)?.rawValue == after)
    }

    @Test(
        "GET_VRING_SIZE: the maximum, then what was set, until a reset",
        arguments: [("sim,parent=vp-vdpa", 256), ("sim,parent=vduse", 1024)] as [(String, UInt32)])
    func vringSize(_ specification: String, _ maximum: UInt32) throws {
        let client = try Client.owned(specification)
        #expect(client.getVring(Request.getVringSize, 0) == .success(maximum))
        #expect(client.setVring(Request.setVringNum, 0, 64) == nil)
        #expect(client.getVring(Request.getVringSize, 0) == .success(64))
        #expect(client.setStatus(0) == nil)
        #expect(client.getVring(Request.getVringSize, 0) == .success(maximum))
    }

    @Test(
        "A doorbell that begins no page is EINVAL, any other that is no page is 524, and so is none",
        arguments: [
            ("sim", 0, 524), ("sim", 1, 524), ("sim", 0x10000, 22), ("sim,parent=platform", 1, 524),
            ("sim,parent=vp-vdpa", 0, 524), ("sim,parent=vp-vdpa", 1, 22), ("sim,parent=vp-vdpa", 1024, 524),
            ("sim,parent=stateful", 2, 22), ("sim,parent=stateful", 0x10000, 22),
            ("sim,parent=vduse", 0, 524), ("sim,parent=mlx5", 2, 524), ("sim,parent=mlx5", 3, 22),
        ] as [(String, Int, Int32)])
    func doorbells(_ specification: String, _ queue: Int, _ expected: Int32) throws {
        let client = try Client.owned(specification)
        let page = Memory.pageSize
        #expect(throws: Errno(rawValue: expected)) {
            _ = unsafe try client.file.map(
                length: page, protection: PROT_WRITE, flags: MAP_SHARED, offset: queue * page)
        }
    }

    @Test("VDUSE takes features without ACCESS_PLATFORM, the others answer EINVAL")
    func accessPlatform() throws {
        for (specification, expected) in [("sim", Errno.invalidArgument), ("sim,parent=vduse", nil)] {
            let client = try Client(specification)
            #expect(client.call(Request.setFeatures, 1 << 32) == expected)
        }
    }
}
