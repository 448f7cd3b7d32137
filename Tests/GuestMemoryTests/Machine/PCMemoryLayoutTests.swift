import Testing

@testable import GuestMemory

struct PCMemoryLayoutTests {
    private func refusal(_ parts: String..., of change: () throws -> Void) throws {
        let error = #expect(throws: GuestMemoryError.self, performing: change)
        let text = try #require(error?.description)
        for part in parts { #expect(text.contains(part), "\(text) lacks \(part)") }
    }

    @Test(
        "A PC has six memory sections, seven with memory above 4 GiB, where QEMU's q35 has them",
        arguments: [
            (.mebibytes(2), 0x1f_ffff, nil), (.mebibytes(512), 0x1fff_ffff, nil),
            (.gibibytes(1), 0x3fff_ffff, nil), (.gibibytes(2), 0x7fff_ffff, nil),
            (ByteCount((2 << 30) + 4096), 0x7fff_ffff, 0x1_0000_0fff),
            (.gibibytes(4), 0x7fff_ffff, 0x1_7fff_ffff),
            (.gibibytes(1024), 0x7fff_ffff, 0x100_7fff_ffff),
        ] as [(ByteCount, UInt64, UInt64?)]
    )
    func sections(memory: ByteCount, lowEnd: UInt64, highEnd: UInt64?) throws {
        let layout = try PCMemoryLayout(memory: memory)
        let sections = layout.addressSpace.view.memorySections
        var expected: [(name: String, first: UInt64, last: UInt64, offset: UInt64, isReadOnly: Bool)] = [
            ("pc.ram", 0, 0xb_ffff, 0, false), ("pc.ram", 0xc_0000, 0xd_ffff, 0xc_0000, true),
            ("pc.ram", 0xe_0000, 0xe_ffff, 0xe_0000, false), ("pc.ram", 0xf_0000, 0xf_ffff, 0xf_0000, true),
            ("pc.ram", 0x10_0000, lowEnd, 0x10_0000, false), ("pc.bios", 0xffff_0000, 0xffff_ffff, 0, true),
        ]
        if let highEnd { expected.append(("pc.ram", 1 << 32, highEnd, 2 << 30, false)) }
        #expect(sections.count == (highEnd == nil ? 6 : 7))
        try #require(sections.count == expected.count)
        for (section, expected) in zip(sections, expected) {
            #expect(section.regionName == expected.name)
            #expect(try section.range == guest(expected.first, expected.last))
            #expect(section.regionOffset.rawValue == expected.offset)
            #expect(section.isReadOnly == expected.isReadOnly)
        }
        let ramBytes = sections.filter { $0.regionName == "pc.ram" }.reduce(0) {
            $0 + ($1.range.byteCount?.rawValue ?? 0)
        }
        #expect(ramBytes == memory.rawValue)
    }

    @Test("Device registers are holes in the memory")
    func devices() throws {
        let layout = try PCMemoryLayout(memory: .gibibytes(4))
        let devices = layout.addressSpace.view.sections.filter { $0.backing == .device }
        #expect(devices.map(\.regionName) == ["pcie-mmcfg", "ioapic", "lapic"])
        for device in devices { #expect(layout.hostRange(of: device.range, access: .read) == nil) }
    }

    @Test("A device may not write where the guest finds read-only memory, and may read it")
    func readOnly() throws {
        let layout = try PCMemoryLayout(memory: .mebibytes(16))
        var table = TranslationTable(layout.addressSpace.view.translationEntries)
        for address in [0xc_0000, 0xd_ffff, 0xf_0000, 0xf_ffff, 0xffff_0000, 0xffff_ffff] as [UInt64] {
            #expect(layout.hostRange(of: try guest(address, address), access: .write) == nil)
            #expect(layout.hostRange(of: try guest(address, address), access: .read) != nil)
            let iova = IOVirtualAddress(rawValue: address)
            do throws(TranslationFault) {
                _ = try unsafe table.run(at: iova, byteCount: 1, access: .write)
                Issue.record("\(iova) is writable")
            } catch {
                #expect(error == TranslationFault(address: iova, access: .write))
            }
            #expect(throws: Never.self) { _ = try unsafe table.run(at: iova, byteCount: 1, access: .read) }
        }
    }

    @Test("Low and high memory are one block: the host address follows the block's offset")
    func hostAddresses() throws {
        let layout = try PCMemoryLayout(memory: .gibibytes(3))
        let base = layout.ram.hostRange.first.rawValue
        let low = try #require(layout.hostRange(of: guest(0x10_0000, 0x7fff_ffff), access: .readWrite))
        #expect(low.first.rawValue == base + 0x10_0000)
        let high = try #require(layout.hostRange(of: guest(1 << 32, (1 << 32) + 15), access: .readWrite))
        #expect(high.first.rawValue == base + (2 << 30))
        let crossing = try guest(0x7fff_fff8, 0x8000_0007)
        #expect(layout.hostRange(of: crossing, access: .read) == nil)
    }

    @Test(
        "A size no machine can have is refused",
        arguments: [0, 4096, (1 << 20), (2 << 20) - 4096, (1 << 30) + 1, UInt64.max, 1 << 53] as [UInt64]
    )
    func invalidSize(bytes: UInt64) throws {
        let error = #expect(throws: GuestMemoryError.self) {
            try PCMemoryLayout(memory: ByteCount(rawValue: bytes))
        }
        #expect(error?.code == .invalidSize)
    }

    @Test("A module without an address goes to the first free one above the RAM, on 2 MiB")
    func plugsAboveRAM() throws {
        let machines: [(memory: ByteCount, start: UInt64)] = [
            (.gibibytes(1), 0x1_0000_0000), (.kibibytes((3 << 20) + 4), 0x1_4020_0000),
        ]
        for (memory, start) in machines {
            let layout = try PCMemoryLayout(memory: memory)
            let first = try RAMBlock.allocate(name: "dimm0", byteCount: .mebibytes(3))
            let second = try RAMBlock.allocate(name: "dimm1", byteCount: .mebibytes(128))
            let small = try RAMBlock.allocate(name: "dimm2", byteCount: .mebibytes(1))
            #expect(try layout.plug(first).range.first.rawValue == start)
            #expect(try layout.plug(second).range.first.rawValue == start + (4 << 20))
            try layout.unplug(first)
            #expect(try layout.plug(small).range.first.rawValue == start)
            #expect(try layout.plug(first).range.first.rawValue == start + (132 << 20))
            #expect(layout.modules.map(\.block.name) == ["dimm2", "dimm1", "dimm0"])
        }
    }

    @Test("A plug is one add for the listener, an unplug one remove, and nothing else changes")
    func listener() throws {
        let layout = try PCMemoryLayout(memory: .gibibytes(4))
        let listener = MirrorListener()
        try layout.addressSpace.register(listener)
        let before = layout.addressSpace.view.sections
        let keeps = before.map { MirrorListener.Event.keep($0.regionName) }
        let dimm = try RAMBlock.allocate(name: "dimm", byteCount: .mebibytes(64))
        listener.forgetEvents()
        let module = try layout.plug(dimm, at: GuestPhysicalAddress(rawValue: 0x9000_0000))
        #expect(listener.events.filter { !keeps.contains($0) } == [.begin, .add("dimm"), .commit])
        #expect(layout.hostRange(of: module.range, access: .readWrite) == dimm.hostRange)
        listener.forgetEvents()
        try layout.unplug(dimm)
        #expect(listener.events == [.begin, .remove("dimm")] + keeps + [.commit])
        #expect(layout.addressSpace.view.sections == before)
        #expect(layout.modules.isEmpty)
    }

    @Test("A plug that cannot be is refused, naming the block and what is in the way")
    func refusals() throws {
        let layout = try PCMemoryLayout(memory: .gibibytes(4))
        let dimm = try RAMBlock.allocate(name: "dimm", byteCount: .mebibytes(64))
        let before = layout.addressSpace.view.sections
        let places: [(address: UInt64, obstacle: String)] = [
            (0, "pc.ram"), (0x7fff_f000, "pc.ram"), (0x8_0000_0800, "page size"), (0xafff_f000, "pcie-mmcfg"),
            (0xfee0_0000, "lapic"), (0xfff0_0000, "pc.bios"), (0x1_7fff_f000, "pc.ram"),
            (0x10_0000_0000_0000, "no room"), (0xffff_ffff_ffff_f000, "no room"),
        ]
        for (address, obstacle) in places {
            try refusal("dimm", "64M", obstacle) {
                try layout.plug(dimm, at: GuestPhysicalAddress(rawValue: address))
            }
        }
        try refusal("pc.ram", "already") { try layout.plug(layout.ram) }
        try refusal("pc.ram", "not a module") { try layout.unplug(layout.ram) }
        try refusal("dimm", "not a module") { try layout.unplug(dimm) }
        #expect(layout.addressSpace.view.sections == before)
        try layout.plug(dimm)
        try refusal("dimm", "already") { try layout.plug(dimm) }
        let other = try RAMBlock.allocate(name: "other", byteCount: .mebibytes(2))
        try refusal("other", "dimm") { try layout.plug(other, at: layout.modules[0].range.last.page) }
    }

    @Test("A plug or unplug that a listener refuses leaves the machine as it was")
    func refusedByListener() throws {
        let layout = try PCMemoryLayout(memory: .gibibytes(1))
        let listener = MirrorListener()
        try layout.addressSpace.register(listener)
        let dimm = try RAMBlock.allocate(name: "dimm", byteCount: .mebibytes(64))
        listener.refusals = 1
        try refusal("add dimm", "the mirror is full") { try layout.plug(dimm) }
        #expect(layout.modules.isEmpty)
        let module = try layout.plug(dimm)
        listener.refusals = 1
        try refusal("remove dimm", "the mirror is full") { try layout.unplug(dimm) }
        #expect(layout.modules.map(\.range) == [module.range])
        #expect(layout.hostRange(of: module.range, access: .readWrite) == dimm.hostRange)
        try layout.unplug(dimm)
        #expect(listener.view == layout.addressSpace.view.sections)
    }

    @Test("Modules plugged in one transaction do not meet, and one taken back leaves none")
    func oneTransaction() throws {
        let layout = try PCMemoryLayout(memory: .gibibytes(1))
        let blocks = try (0..<3).map { try RAMBlock.allocate(name: "dimm\($0)", byteCount: .mebibytes(2)) }
        try layout.addressSpace.transaction { () throws(GuestMemoryError) in
            for block in blocks { try layout.plug(block) }
        }
        let starts: [UInt64] = [0x1_0000_0000, 0x1_0020_0000, 0x1_0040_0000]
        #expect(layout.modules.map(\.range.first.rawValue) == starts)
        #expect(throws: GuestMemoryError.self) {
            try layout.addressSpace.transaction { () throws(GuestMemoryError) in
                for block in blocks { try layout.unplug(block) }
                throw GuestMemoryError(code: .invalidTopology, context: "stop")
            }
        }
        #expect(layout.modules.count == 3)
    }
}

extension GuestPhysicalAddress {
    /// The start of the page that holds the address.
    fileprivate var page: Self { Self(rawValue: rawValue & ~4095) }
}
