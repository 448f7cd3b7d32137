import CLinux
import Glibc
import Testing
import VhostVDPAConformance

/// A pinned page outlives the mapping it was pinned through; so does everything a simulated device reaches.
@Suite("Memory that its owner unmaps under a live device", .serialized)
struct UnmappedMemoryTests {
    @Test(
        "The device goes on with it: frames pass, and what it writes is in the shared pages",
        arguments: [
            "sim", "sim,use-va=off", "sim,use-va=off,fragment=4K", "sim,parent=dma-map",
            "sim,parent=platform",
            "sim,parent=vendor", "sim,parent=vduse", "sim,profile=vdpasim-net,use-va=off",
        ])
    func unmapped(_ specification: String) throws {
        let opener = try SimulatedOpener.make(specification)
        let client = RuleClient(try opener.open())
        defer { client.close() }
        let driver = try OnePageDriver(opener, SimulatedOpener.traits(specification))
        let alias = try SecondMapping(of: driver.page)
        let page = UInt64(TestPages.pageSize)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.send(.update, iova: driver.iova, size: page, user: alias.address) == nil)
        try driver.start(client)
        try driver.expectTraffic("mapped by its owner")
        alias.unmap()
        driver.page.store([UInt8](repeating: 0, count: 256), at: OnePageDriver.receiveBuffers + 256)
        try driver.expectTraffic("unmapped by its owner")
        // The second receive buffer: a header, then the broadcast address the frame goes to.
        #expect(driver.page.byte(at: OnePageDriver.receiveBuffers + 256 + 12) == 0xff)
    }

    @Test("An UPDATE in an open batch holds it, too")
    func unmappedInBatch() throws {
        let opener = try SimulatedOpener.make("sim")
        let client = RuleClient(try opener.open())
        defer { client.close() }
        let driver = try OnePageDriver(opener, SimulatedOpener.traits("sim"))
        let alias = try SecondMapping(of: driver.page)
        #expect(client.call(Request.setOwner) == nil)
        #expect(client.send(.batchBegin) == nil)
        #expect(
            client.send(
                .update, iova: driver.iova, size: UInt64(TestPages.pageSize), user: alias.address) == nil)
        alias.unmap()
        #expect(client.send(.batchEnd) == nil)
        try driver.start(client)
        try driver.expectTraffic("unmapped by its owner")
    }

    /// The same pages once more, as the mapping of an owner that will go.
    final class SecondMapping {
        let address: UInt

        init(of pages: TestPages) throws {
            var address: UInt64 = 0
            let result = unsafe clinux_map_again(UInt64(pages.address), UInt64(pages.byteCount), &address)
            try #require(result == 0)
            self.address = UInt(address)
        }

        deinit { unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), TestPages.pageSize) }

        /// Puts memory without any right in its place: a hole could become another test's.
        func unmap() {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED
            let start = unsafe UnsafeMutableRawPointer(bitPattern: address)
            let hole = unsafe mmap(start, TestPages.pageSize, PROT_NONE, flags, -1, 0)
            #expect(unsafe hole == start)
        }
    }
}
