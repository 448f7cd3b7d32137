import Testing

@testable import GuestMemory

struct FlatViewTests {
    private func block(_ name: String, pages: Int) throws -> RAMBlock {
        try RAMBlock.allocate(name: name, byteCount: .pages(pages))
    }

    /// The view as text, one word per section: name, first and last page, region page, attributes.
    private func text(_ space: AddressSpace) -> [String] {
        space.view.sections.map { section in
            let first = section.range.first.rawValue >> 12
            let last = section.range.last.rawValue >> 12
            let offset = section.regionOffset.rawValue >> 12
            return "\(section.regionName) \(first)-\(last) @\(offset)\(section.isReadOnly ? " ro" : "")"
        }
    }

    @Test("Of two regions that overlap, the higher priority shows, whichever was added first")
    func priority() throws {
        for highFirst in [true, false] {
            let space = AddressSpace(name: "test")
            let high = { () throws(GuestMemoryError) in
                try space.add(.device("high", byteCount: .pages(2)), at: .page(3), priority: 1)
            }
            if highFirst { try high() }
            try space.add(.ram(block("low", pages: 8)), at: .page(0), priority: 0)
            if !highFirst { try high() }
            #expect(text(space) == ["low 0-2 @0", "high 3-4 @0", "low 5-7 @5"])
        }
    }

    @Test("A hole between two pieces of one block is no memory, as far apart in the host as they may be")
    func hole() throws {
        let space = AddressSpace(name: "test")
        let region = MemoryRegion.ram(try block("ram", pages: 3))
        try space.add(.alias("low", of: region, byteCount: .pages(1)), at: .page(0))
        try space.add(.alias("high", of: region, offset: .pages(2), byteCount: .pages(1)), at: .page(2))
        #expect(space.view.hostRange(of: try guest(0, 0xfff), access: .read) != nil)
        #expect(space.view.hostRange(of: try guest(0, 0x2fff), access: .read) == nil)
        let low = try #require(space.view.sections.first)
        #expect(low.hostAddress(of: .page(1)) == nil && low.hostAddress(of: .page(0)) != nil)
        let high = try #require(space.view.sections.last)
        #expect(high.hostAddress(of: .page(1)) == nil && high.hostAddress(of: .page(2)) != nil)
    }

    @Test("Of two regions of one priority, the later shows")
    func laterWins() throws {
        let space = AddressSpace(name: "test")
        try space.add(.device("first", byteCount: .pages(4)), at: .page(0), priority: 0)
        try space.add(.device("second", byteCount: .pages(4)), at: .page(2), priority: 0)
        #expect(text(space) == ["first 0-1 @0", "second 2-5 @0"])
    }

    @Test("A container shows what is in it, cut at its end, and holes elsewhere; its priority rules inside")
    func container() throws {
        let space = AddressSpace(name: "test")
        let box = MemoryRegion.container("box", byteCount: .pages(4))
        try space.add(.device("behind", byteCount: .pages(10)), at: .page(0), priority: 0)
        try space.add(box, at: .page(2), priority: 1)
        try space.add(.device("inside", byteCount: .pages(9)), to: box, at: .page(1), priority: -5)
        #expect(text(space) == ["behind 0-2 @0", "inside 3-5 @0", "behind 6-9 @6"])
        try space.setEnabled(false, for: box)
        #expect(text(space) == ["behind 0-9 @0"])
    }

    @Test("An alias shows its target from an offset on, and is read-only if either of them is")
    func alias() throws {
        let space = AddressSpace(name: "test")
        let ram = MemoryRegion.ram(try block("ram", pages: 8))
        try space.add(.alias("low", of: ram, byteCount: .pages(3)), at: .page(0))
        try space.add(
            .alias("locked", of: ram, offset: .pages(3), byteCount: .pages(2), isReadOnly: true), at: .page(3)
        )
        try space.add(.alias("high", of: ram, offset: .pages(5), byteCount: .pages(99)), at: .page(100))
        #expect(text(space) == ["ram 0-2 @0", "ram 3-4 @3 ro", "ram 100-102 @5"])
        try space.setReadOnly(true, for: ram)
        #expect(text(space) == ["ram 0-4 @0 ro", "ram 100-102 @5 ro"])
    }

    @Test("Neighbours merge when they continue each other in one region with the same attributes")
    func merge() throws {
        let space = AddressSpace(name: "test")
        let ram = MemoryRegion.ram(try block("ram", pages: 8))
        try space.add(.alias("a", of: ram, byteCount: .pages(2)), at: .page(0))
        try space.add(.alias("b", of: ram, offset: .pages(2), byteCount: .pages(2)), at: .page(2))
        try space.add(.alias("c", of: ram, offset: .pages(5), byteCount: .pages(2)), at: .page(4))
        #expect(text(space) == ["ram 0-3 @0", "ram 4-5 @5"])
    }

    @Test("Two blocks never merge, even under one name")
    func sameName() throws {
        let space = AddressSpace(name: "test")
        try space.add(.ram(block("dimm", pages: 1)), at: .page(0))
        try space.add(.ram(block("dimm", pages: 1)), at: .page(1))
        #expect(text(space) == ["dimm 0-0 @0", "dimm 1-1 @0"])
    }

    @Test("A region may reach the last byte of the 64-bit space, and what wraps is cut off there")
    func top() throws {
        let space = AddressSpace(name: "test")
        let lastPage = GuestPhysicalAddress(rawValue: .max - 4095)
        try space.add(.device("top", byteCount: .pages(3)), at: lastPage)
        #expect(space.view.sections.map(\.range) == [try guest(lastPage.rawValue, .max)])
        #expect(space.view.section(containing: GuestPhysicalAddress(rawValue: .max))?.regionName == "top")
    }

    @Test("The whole 64-bit space can be one section")
    func wholeSpace() throws {
        let space = AddressSpace(name: "test")
        let box = MemoryRegion.container("box")
        try space.add(box, at: .page(0))
        #expect(space.view.sections.isEmpty)
        #expect(space.view.section(containing: .page(0)) == nil)
        try space.add(.device("nearly all", byteCount: ByteCount(rawValue: .max)), to: box, at: .page(0))
        #expect(space.view.sections.map(\.range) == [try guest(0, .max - 1)])
    }

    @Test("The host memory of a range is found across sections that continue each other in the host")
    func hostRange() throws {
        let ramBlock = try block("ram", pages: 8)
        let ram = MemoryRegion.ram(ramBlock)
        let space = AddressSpace(name: "test")
        try space.add(.alias("a", of: ram, byteCount: .pages(2)), at: .page(0))
        try space.add(
            .alias("b", of: ram, offset: .pages(2), byteCount: .pages(2), isReadOnly: true), at: .page(2))
        try space.add(.alias("c", of: ram, offset: .pages(5), byteCount: .pages(1)), at: .page(4))
        try space.add(.device("d", byteCount: .pages(1)), at: .page(5))
        let first = ramBlock.hostRange.first.rawValue
        func host(_ range: (UInt64, UInt64), _ access: MemoryAccess) throws -> UInt64? {
            let found = space.view.hostRange(of: try guest(range.0, range.1), access: access)
            if let found { #expect(found.last.rawValue - found.first.rawValue == range.1 - range.0) }
            return found.map { $0.first.rawValue - first }
        }
        #expect(try host((0x10, 0x1fff), .readWrite) == 0x10)
        #expect(try host((0x10, 0x3fff), .read) == 0x10)
        #expect(try host((0x10, 0x2000), .write) == nil)
        #expect(try host((0x3000, 0x4000), .read) == nil)
        #expect(try host((0x4000, 0x4fff), .readWrite) == 0x5000)
        #expect(try host((0x4000, 0x5000), .read) == nil)
        #expect(try host((0x5000, 0x5000), .read) == nil)
        #expect(try host((0x6000, 0x6000), .read) == nil)
        #expect(try host((0, .max), .read) == nil)
    }

    @Test("A device's entries are the view's memory, its read-only parts without write permission")
    func translationEntries() throws {
        let space = AddressSpace(name: "test")
        let ram = try block("ram", pages: 2)
        let rom = try block("rom", pages: 1)
        try space.add(.ram(ram), at: .page(0))
        try space.add(.rom(rom), at: .page(4))
        try space.add(.device("device", byteCount: .pages(1)), at: .page(6))
        #expect(
            space.view.translationEntries == [
                TranslationEntry(range: try iova(0, 0x1fff), host: ram.hostRange.first, access: .readWrite),
                TranslationEntry(range: try iova(0x4000, 0x4fff), host: rom.hostRange.first, access: .read),
            ]
        )
    }

    @Test("A view keeps its memory mapped after the region is gone")
    func keepsMemory() throws {
        let space = AddressSpace(name: "test")
        weak var observed: RAMBlock?
        do {
            let ram = try block("ram", pages: 1)
            observed = ram
            let region = MemoryRegion.ram(ram)
            try space.add(region, at: .page(0))
            let view = space.view
            try space.remove(region)
            #expect(space.view.sections.isEmpty)
            #expect(view.sections.count == 1)
            withExtendedLifetime(view) { #expect(observed != nil) }
        }
        #expect(observed == nil)
    }

    @Test("Every page of a random tree shows what a walk down the tree finds there", arguments: 0..<40)
    func oracle(seed: Int) throws {
        let machine = try RandomMachine(seed: seed)
        for _ in 0..<60 {
            _ = try machine.change()
            machine.check()
        }
        #expect(machine.placed.count > 1)
    }
}
