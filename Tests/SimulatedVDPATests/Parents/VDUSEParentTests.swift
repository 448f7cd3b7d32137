import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

@Suite("Row (d): VDUSE")
struct VDUSEParentTests {
    @Test(
        "A reset keeps the user's maps, and IOTLB_PERSIST cannot be acknowledged",
        arguments: ["", ",kernel=6.1"])
    func resets(_ kernel: String) throws {
        let client = try Client.owned("sim,parent=vduse\(kernel)")
        #expect(client.update(0x100000, Memory(pages: 4)) == nil)
        try client.start()
        #expect(client.setStatus(0) == nil)
        #expect(client.deviceMaps.entries == client.vhostEntries)
        #expect(client.deviceMaps.entries.count == 1)
    }

    @Test("A close leaves the device's map stale until the next set_map")
    func staleAfterClose() throws {
        let client = try Client.owned("sim,parent=vduse")
        #expect(client.deviceMaps == .init(entries: [], isIdentity: false))
        #expect(client.update(0x100000, Memory(pages: 1)) == nil)
        try client.reopen()
        #expect(client.vhostEntries.isEmpty)
        #expect(client.deviceMaps.entries.count == 1)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.update(0x900000, Memory(pages: 1)) == nil)
        #expect(client.deviceMaps.entries.map(\.range.first.rawValue) == [0x900000])
    }

    @Test("It has no limit of entries of its own: vhost-vdpa's decides")
    func entries() throws {
        let client = try Client.owned("sim,parent=vduse,entries=2")
        let memory = Memory(pages: 1)
        for slot in 0..<UInt64(2) { #expect(client.update(slot << 20, memory) == nil) }
        #expect(client.update(2 << 20, memory) == .badAddress)
        #expect(client.file.mapFailures.last?.cause == .noSpace)
        #expect(client.deviceMaps.entries.count == 2)
    }
}
