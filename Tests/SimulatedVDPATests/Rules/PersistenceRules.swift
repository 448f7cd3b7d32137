import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VirtQueue
import VirtioNet

@Suite("Rules 62 to 69: reset and persistence")
struct PersistenceRules {
    static let persist: UInt64 = 1 << 8

    @Test(
        "62. PERSIST acknowledged: a reset keeps the maps, and the device translates",
        arguments: Specifications.persistent)
    func keptOverReset(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.call(Request.setBackendFeatures, Self.persist) == nil)
        #expect(client.update(0x100000, Memory(pages: 4)) == nil)
        let before = client.deviceMaps
        client.dataPath.forgetCalls()
        #expect(client.setStatus(0) == nil)
        #expect(client.deviceMaps == before)
        #expect(client.dataPath.translation(0) == before.entries)
        #expect(!client.dataPath.calls.contains { if case .translation = $0 { true } else { false } })
    }

    @Test(
        "63. Not acknowledged: the device loses them, the same UPDATE is EFAULT, after INVALIDATE it works",
        arguments: ["sim", "sim,kernel=6.1", "sim,kernel=7.2", "sim,parent=dma-map"])
    func lostOverReset(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 4)
        #expect(client.update(0x100000, memory) == nil)
        #expect(client.setStatus(0) == nil)
        #expect(client.deviceMaps.entries.isEmpty)
        #expect(client.deviceMaps.isIdentity == (client.kernel != .v6_1))
        #expect(client.dataPath.translation(0).isEmpty)
        #expect(client.vhostEntries.count == 1)
        #expect(client.update(0x100000, memory) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .fileExists)
        #expect(client.send(.invalidate, iova: 0x100000, size: UInt64(memory.byteCount)) == nil)
        #expect(client.update(0x100000, memory) == nil)
        #expect(client.deviceMaps.entries == client.vhostEntries)
        #expect(client.dataPath.translation(0) == client.vhostEntries)
    }

    @Test(
        "64. Not acknowledged: a different UPDATE brings the old maps back with set_map, not with dma_map",
        arguments: [("sim", 2), ("sim,kernel=6.1", 2), ("sim,kernel=7.2", 2), ("sim,parent=dma-map", 1)])
    func differentUpdate(_ specification: String, _ expected: Int) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 1)
        #expect(client.update(0x100000, memory) == nil)
        #expect(client.setStatus(0) == nil)
        #expect(client.update(0x200000, memory) == nil)
        #expect(client.deviceMaps.entries.count == expected)
        #expect(client.dataPath.translation(0).count == expected)
        #expect(client.vhostEntries.count == 2)
    }

    @Test(
        "65. PERSIST counts at reset time: acknowledged late it keeps, withdrawn it loses",
        arguments: Specifications.persistent)
    func acknowledgedAtResetTime(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.update(0x100000, Memory(pages: 1)) == nil)
        #expect(client.call(Request.setBackendFeatures, Self.persist) == nil)
        #expect(client.setStatus(0) == nil)
        #expect(client.deviceMaps.entries.count == 1)
        #expect(client.call(Request.setBackendFeatures, 0) == nil)
        #expect(client.setStatus(0) == nil)
        #expect(client.deviceMaps.entries.isEmpty)
    }

    @Test("66. A reset sends every group back to address space 0", arguments: Specifications.persistent)
    func groupsReturn(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.call(Request.setBackendFeatures, Self.persist | 1 << 3) == nil)
        #expect(client.update(0x100000, Memory(pages: 1)) == nil)
        #expect(client.setVring(Request.setGroupASID, 0, 1) == nil)
        #expect(client.update(0x300000, Memory(pages: 1), asid: 1) == nil)
        #expect(client.dataPath.translation(0).first?.range.first.rawValue == 0x300000)
        #expect(client.setStatus(0) == nil)
        #expect(client.device.diagnostics.device.groupAddressSpaces == [0])
        #expect(client.dataPath.translation(0).first?.range.first.rawValue == 0x100000)
        #expect(client.device.diagnostics.device.addressSpaces[1].entries.count == 1)
    }

    @Test(
        "67. Close and reopen: the map is gone, identity back, the UPDATE works, backend features are 0",
        arguments: Specifications.persistent)
    func reopened(_ specification: String) throws {
        let client = try Client.owned(specification)
        let memory = Memory(pages: 1)
        #expect(client.call(Request.setBackendFeatures, Self.persist) == nil)
        #expect(client.update(0x100000, memory) == nil)
        try client.reopen()
        #expect(client.deviceMaps == .init(entries: [], isIdentity: true))
        #expect(client.vhostEntries.isEmpty)
        #expect(client.update(0x100000, memory) == .badAddress, "the owner is gone")
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.update(0x100000, memory) == nil)
        // The acknowledgement went with the file: this reset drops the maps again.
        #expect(client.setStatus(0) == nil)
        #expect(client.deviceMaps.entries.isEmpty)
    }

    @Test("67. A space nobody touched gets no reset_map on close")
    func untouchedSpace() throws {
        let client = try Client.owned("sim")
        client.dataPath.forgetCalls()
        client.file.close()
        #expect(!client.dataPath.calls.contains { if case .translation = $0 { true } else { false } })
    }

    @Test("67. A close stops the queues before it takes the maps", arguments: Specifications.all)
    func closeOrder(_ specification: String) throws {
        let client = try Client.owned(specification)
        let event = try EventCounter()
        #expect(client.setVring(Request.setVringKick, 0, file: event.descriptor.rawValue) == nil)
        #expect(client.update(0, Memory(pages: 4)) == nil)
        try client.start()
        client.dataPath.forgetCalls()
        client.file.close()
        let calls = client.dataPath.calls
        let lastStop = try #require(calls.lastIndex { if case .stop = $0 { true } else { false } })
        let unbound = try #require(calls.firstIndex(of: .kickBound(0, isBound: false)))
        let firstMap = try #require(calls.firstIndex { if case .translation = $0 { true } else { false } })
        #expect(lastStop < firstMap)
        #expect(lastStop < unbound)
    }

    @Test(
        "(d) reset_map missing, reset keeps: the maps stay over a reset and are stale after a close",
        arguments: ["sim,reset-map=off,compat-reset=off"])
    func staleAfterClose(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.update(0x100000, Memory(pages: 1)) == nil)
        #expect(client.setStatus(0) == nil)
        #expect(client.deviceMaps.entries.count == 1)
        try client.reopen()
        #expect(client.vhostEntries.isEmpty)
        #expect(client.deviceMaps.entries.count == 1)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.send(.batchBegin) == nil)
        #expect(client.send(.batchEnd) == nil)
        #expect(client.deviceMaps.entries.isEmpty)
    }

    @Test(
        "69. SET_CONFIG_CALL with a bad descriptor fails and keeps the old one", arguments: Specifications.all
    )
    func configCall(_ specification: String) throws {
        let client = try Client.owned(specification)
        let event = try EventCounter()
        #expect(client.call(Request.setConfigCall, [UInt32(bitPattern: event.descriptor.rawValue)]) == nil)
        #expect(client.call(Request.setConfigCall, [9999]) == .badFileDescriptor)
        client.dataPath.report(.queueBroken(.init(.chainTooLong), queue: 0))
        #expect(event.take() == 1)
        #expect(client.call(Request.setConfigCall, [UInt32.max]) == nil)
        client.dataPath.report(.queueBroken(.init(.chainTooLong), queue: 0))
        #expect(event.take() == 0)
    }
}
