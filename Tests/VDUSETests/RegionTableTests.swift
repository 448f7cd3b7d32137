import GuestMemory
import SystemPackage
import Testing

@testable import VDUSE

/// The driver's memory as it is mapped here.
@Suite struct RegionTableTests {
    private func range(_ first: UInt64, _ last: UInt64) throws -> AddressRange<IOVirtualAddress> {
        try #require(
            AddressRange(first: IOVirtualAddress(rawValue: first), last: IOVirtualAddress(rawValue: last)))
    }

    @Test(
        "Each region is mapped once, in the order of addresses, and a region that the kernel has no more is given up"
    )
    func refresh() throws {
        let kernel = try KernelDouble()
        kernel.regions = [(try range(0x1000, 0x1fff), 0), (try range(0x2000, 0x5fff), 0x1_0000)]
        var table = RegionTable()
        #expect(try table.refresh(kernel).isEmpty)
        #expect(table.entries.map(\.range) == kernel.regions.map(\.range))
        let first = table.regions[0]
        kernel.regions = [(try range(0x1000, 0x1fff), 0), (try range(0x8000, 0x8fff), 0x2000)]
        #expect(try table.refresh(kernel).map(\.entry.range) == [try range(0x2000, 0x5fff)])
        #expect(table.regions[0] === first && kernel.mapCount == 3)
    }

    @Test("The highest address ends the search")
    func highestAddress() throws {
        let kernel = try KernelDouble()
        kernel.regions = [(try range(.max - 0xfff, .max), 0)]
        var table = RegionTable()
        _ = try table.refresh(kernel)
        #expect(table.regions.count == 1)
    }

    @Test("A refusal leaves the table as it was")
    func refusal() throws {
        let kernel = try KernelDouble()
        var table = RegionTable()
        _ = try table.refresh(kernel)
        kernel.refusesRegions = true
        #expect(throws: VDUSEError.self) { _ = try table.refresh(kernel) }
        #expect(table.regions.count == 1)
    }

    @Test("A range takes every region that it touches")
    func remove() throws {
        let kernel = try KernelDouble()
        kernel.regions = try [0x1000, 0x2000, 0x3000].map { (try range($0, $0 + 0xfff), $0) }
        var table = RegionTable()
        _ = try table.refresh(kernel)
        #expect(table.remove(touching: try range(0x1fff, 0x2000)).count == 2)
        #expect(table.entries.map(\.range) == [try range(0x3000, 0x3fff)])
    }

    @Test("Memory that begins in the middle of a page of its file is that memory, and reaches no further")
    func inset() throws {
        let kernel = try KernelDouble()
        let ring: [UInt8] = [0, 0, 0x34, 0x12]
        _ = try kernel.file.writeAll(toAbsoluteOffset: 0x1804, ring)
        kernel.regions = [(try range(0x10000, 0x10fff), 0x1800)]
        var table = RegionTable()
        _ = try table.refresh(kernel)
        let region = try #require(table.region(holding: 0x10004))
        #expect(region.usedIndex(at: 0x10004) == 0x1234)
        // Not aligned, across the end, outside.
        for address in [0x10002, 0x10ffe, 0x11000] as [IOVirtualAddress] {
            #expect(region.usedIndex(at: address) == nil)
        }
        #expect(table.region(holding: 0x11000) == nil)
    }

    @Test("A region as long as no file is refused", arguments: [UInt64.max, 1 << 62])
    func tooLong(last: UInt64) throws {
        let kernel = try KernelDouble()
        kernel.regions = [(try range(0, last), 0)]
        var table = RegionTable()
        #expect(throws: VDUSEError.self) { _ = try table.refresh(kernel) }
    }
}
