import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

@Suite("mlx5")
struct MLX5ParentTests {
    /// VERSION_1, ACCESS_PLATFORM and the control queue.
    private static let features: UInt64 = 0x3_0002_0000

    @Test("Each group's queues get the maps of its space: rings the descriptors' group, buffers the queues'")
    func spaces() throws {
        let client = try Client.owned("sim,parent=mlx5,queues=2")
        #expect(client.call(Request.setBackendFeatures, 0x188) == nil)
        #expect(client.update(0x10000, Memory(pages: 1), asid: 0) == nil)
        #expect(client.update(0x20000, Memory(pages: 1), asid: 1) == nil)
        func maps(_ queue: Int) -> [UInt64?] {
            [client.dataPath.translation(queue), client.dataPath.ringTranslation(queue) ?? []].map {
                $0.first?.range.first.rawValue
            }
        }
        #expect((0..<5).allSatisfy { maps($0) == [0x10000, 0x10000] })
        #expect(client.setVring(Request.setGroupASID, 2, 1) == nil)
        #expect((0..<4).allSatisfy { maps($0) == [0x10000, 0x20000] })
        #expect(maps(4) == [0x10000, 0x10000])
        #expect(client.setVring(Request.setGroupASID, 1, 1) == nil)
        #expect(maps(4) == [0x20000, 0x20000])
        #expect(client.setVring(Request.setGroupASID, 0, 1) == nil)
        #expect(client.setVring(Request.setGroupASID, 2, 0) == nil)
        #expect((0..<4).allSatisfy { maps($0) == [0x20000, 0x10000] })
        #expect(client.setStatus(0) == nil)
        #expect((0..<5).allSatisfy { maps($0) == [0x10000, 0x10000] }, "all groups are in space 0 again")
    }

    @Test("Address space 0 is 1:1 without maps, the other one empty, at creation and after reset_map")
    func identity() throws {
        let client = try Client.owned("sim,parent=mlx5")
        func identities() -> [Bool] { client.device.diagnostics.device.addressSpaces.map(\.isIdentity) }
        #expect(identities() == [true, false])
        #expect(client.call(Request.setBackendFeatures, 0x8) == nil)
        for space in UInt32(0)..<2 { #expect(client.update(0x10000, Memory(pages: 1), asid: space) == nil) }
        #expect(identities() == [false, false])
        try client.reopen()
        #expect(identities() == [true, false])
        #expect(client.device.diagnostics.device.addressSpaces.map(\.entries) == [[], []])
    }

    @Test("SUSPEND disables the control queue and RESUME does not enable it; a status changes neither")
    func controlQueue() throws {
        let client = try Client.owned("sim,parent=mlx5")
        #expect(client.setVring(Request.setVringNum, 2, 64) == nil)
        #expect(client.setAddresses(2) == nil)
        try client.start(features: Self.features)
        #expect(client.setVring(Request.setVringEnable, 2, 1) == nil)
        #expect(client.dataPath.running == [0, 1, 2])
        #expect(client.call(Request.suspend) == nil)
        #expect(client.dataPath.running.isEmpty)
        #expect(client.setStatus(0xf) == nil)
        #expect(client.dataPath.running.isEmpty)
        #expect(client.call(Request.resume) == nil)
        #expect(client.dataPath.running == [0, 1])
        #expect(client.setVring(Request.setVringEnable, 2, 1) == nil)
        #expect(client.dataPath.running == [0, 1, 2])
    }

    @Test("The configuration space cannot be written: success, and nothing changes")
    func configuration() throws {
        let client = try Client.owned("sim,parent=mlx5")
        #expect(client.call(Request.setConfig, [0, 4, 0xffff_ffff]) == nil)
        var bytes = Client.bytes(UInt32(0)) + Client.bytes(UInt32(6)) + [UInt8](repeating: 0, count: 6)
        #expect(client.call(Request.getConfig, bytes: &bytes) == nil)
        #expect(bytes[8...] == [0x52, 0x54, 0, 0x12, 0x34, 0x56])
    }

    @Test("Rings have 256 entries at the most")
    func ringSize() throws {
        let client = try Client.owned("sim,parent=mlx5")
        #expect(client.get(Request.getVringNum, count: 2) == .success(256))
        #expect(client.setVring(Request.setVringNum, 0, 512) == .invalidArgument)
    }
}
