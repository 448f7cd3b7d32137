import GuestMemory
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

@Suite("Behind the platform's IOMMU: the maps are vhost-vdpa's own")
struct PlatformIOMMUTests {
    @Test("An update reaches the device at once, in a batch too", arguments: Specifications.platform)
    func atOnce(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.send(.batchBegin) == nil)
        #expect(client.update(0x100000, Memory(pages: 4)) == nil)
        #expect(client.dataPath.translation(0).map(\.range) == client.vhostEntries.map(\.range))
        #expect(client.deviceMaps.entries == client.vhostEntries)
        #expect(client.send(.invalidate, iova: 0x100000, size: 1) == nil)
        #expect(client.dataPath.translation(0).isEmpty)
        #expect(client.send(.batchEnd) == nil)
    }

    @Test(
        "A reset takes no map, PERSIST acknowledged or not, 6.1 or later",
        arguments: [
            "sim,parent=platform", "sim,parent=vp-vdpa", "sim,parent=platform,kernel=6.1",
            "sim,parent=platform,kernel=7.2",
        ])
    func resets(_ specification: String) throws {
        let client = try Client.owned(specification)
        #expect(client.update(0x100000, Memory(pages: 4)) == nil)
        let before = client.deviceMaps
        try client.start()
        client.dataPath.forgetCalls()
        for _ in 0..<2 {
            #expect(client.setStatus(0) == nil)
            #expect(client.deviceMaps == before)
            #expect(client.dataPath.translation(0).map(\.range) == before.entries.map(\.range))
        }
        #expect(!client.dataPath.calls.contains { if case .translation = $0 { true } else { false } })
    }

    @Test("The domain goes with the file: a close unmaps, unpins and leaves the default domain")
    func close() throws {
        let client = try Client.owned("sim,parent=platform")
        #expect(client.deviceMaps == .init(entries: [], isIdentity: false))
        #expect(client.update(0x100000, Memory(pages: 4)) == nil)
        client.file.close()
        #expect(client.device.diagnostics.device.addressSpaces == [.init(entries: [], isIdentity: true)])
        #expect(client.dataPath.translation(0).isEmpty)
        #expect(client.pinner.pinnedPages == 0)
        try client.reopen()
        #expect(client.deviceMaps == .init(entries: [], isIdentity: false))
    }

    @Test("Attaching and detaching say what the device's addresses mean")
    func domains() throws {
        let iommu = PlatformIOMMU()
        let domain = PlatformDomain()
        let range = try #require(
            AddressRange(first: IOVirtualAddress(rawValue: 0x1000), byteCount: ByteCount(rawValue: 0x1000)))
        let entry = TranslationEntry(range: range, host: HostAddress(rawValue: 0x7000), access: .readWrite)
        try domain.map(entry)
        #expect(iommu.entries.isEmpty)
        iommu.attach(domain)
        #expect(iommu.entries == [entry])
        #expect(throws: Errno.fileExists) { try domain.map(entry) }
        let other = PlatformDomain()
        iommu.attach(other)
        #expect(iommu.entries.isEmpty)
        #expect(domain.table.entries == [entry], "a domain keeps its maps")
        iommu.detach()
        #expect(iommu.domain == nil)
    }

    @Test("Fragments: an entry for each run, the device is given the table once", arguments: [1, 4])
    func fragments(_ messages: Int) throws {
        let client = try Client.owned("sim,parent=platform,fragment=4K")
        client.dataPath.forgetCalls()
        let memory = Memory(pages: 8)
        for slot in 0..<UInt64(messages) { #expect(client.update(slot << 20, memory) == nil) }
        #expect(client.vhostEntries.count == 8 * messages)
        #expect(client.dataPath.calls.count == messages)
    }
}
