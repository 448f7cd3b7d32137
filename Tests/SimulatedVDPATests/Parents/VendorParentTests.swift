import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

@Suite("Row (e): a vendor's IOMMU that declares IOTLB_PERSIST itself")
struct VendorParentTests {
    @Test(
        "It keeps its maps on its word, PERSIST acknowledged or not: there is .reset only",
        arguments: [0, 0x100])
    func resets(_ acknowledged: UInt64) throws {
        let client = try Client.owned("sim,parent=vendor")
        #expect(client.call(Request.setBackendFeatures, acknowledged) == nil)
        let memory = Memory(pages: 4)
        #expect(client.update(0x100000, memory) == nil)
        try client.start()
        #expect(client.setStatus(0) == nil)
        #expect(client.deviceMaps.entries == client.vhostEntries)
        #expect(client.dataPath.translation(0).count == 1)
        #expect(client.update(0x100000, memory) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .fileExists)
    }

    @Test("A close unmaps entry by entry and brings no identity back")
    func close() throws {
        let client = try Client.owned("sim,parent=vendor")
        #expect(client.deviceMaps.isIdentity)
        #expect(client.update(0x100000, Memory(pages: 4)) == nil)
        try client.reopen()
        #expect(client.deviceMaps == .init(entries: [], isIdentity: false))
        #expect(client.pinner.pinnedPages == 0)
    }
}
