import GuestMemory
import SystemPackage
import Testing
import VhostVDPA
@testable import VhostVDPABackend

/// What the mapper sends for changes of guest memory.
struct MemoryMapperTests {
    static let dimmMapped = ["BATCH_BEGIN", "UPDATE 0x100000000-0x1007fffff RW", "BATCH_END"]
    static let dimmUnmapped = ["BATCH_BEGIN", "INVALIDATE 0x100000000-0x1007fffff", "BATCH_END"]

    @Test(
        "memory plugged and unplugged while the device runs, or is stopped with its maps kept, reaches it at once"
    )
    func plugReachesDevice() throws {
        let harness = try Harness()
        try harness.start()
        for isStopped in [false, true] {
            if isStopped { try harness.backend.stop() }
            _ = harness.device.takeTrace()
            try harness.addressSpace.plug(Guest.dimm)
            #expect(harness.device.takeTrace() == Self.dimmMapped)
            #expect(harness.device.deviceTable.count == 4)
            try harness.addressSpace.unplug(Guest.dimm)
            #expect(harness.device.takeTrace() == Self.dimmUnmapped)
            #expect(harness.device.deviceTable.count == 3)
        }
    }

    @Test(
        "memory plugged and unplugged while nothing is mapped is not sent, and the next start maps what there is"
    )
    func plugWhileUnmapped() throws {
        let harness = try Harness(configuration: .init(persist: .off, mapVerification: .never))
        try harness.start()
        try harness.backend.stop()
        _ = harness.device.takeTrace()
        try harness.addressSpace.plug(Guest.dimm)
        try harness.addressSpace.unplug(Guest.rom)
        #expect(harness.device.takeTrace() == [])
        try harness.start()
        #expect(
            harness.device.takeTrace().filter { $0.hasPrefix("UPDATE") } == [
                "UPDATE 0x0-0x9ffff RW", "UPDATE 0x100000-0x7fffff RW", "UPDATE 0x100000000-0x1007fffff RW",
            ])
        #expect(harness.backend.mappedSections == [Guest.lowRAM, Guest.highRAM, Guest.dimm])
    }

    @Test("a transaction that changes nothing for the device sends nothing")
    func nothing() throws {
        let harness = try Harness()
        _ = harness.device.takeTrace()
        let registers = MemorySection(
            range: AddressRange(first: .init(rawValue: 0xfee0_0000), byteCount: .kibibytes(4))!,
            regionName: "apic", regionOffset: .zero, backing: .device, isReadOnly: false)
        try harness.addressSpace.change(removing: [], adding: [], keeping: Guest.sections)
        try harness.addressSpace.plug(registers)
        try harness.addressSpace.unplug(registers)
        #expect(harness.device.takeTrace() == [])
    }

    @Test("a guest without memory has no batch: even an empty one makes the device take its table again")
    func noMemory() throws {
        let harness = try Harness(
            addressSpace: FakeAddressSpace([]), configuration: .init(persist: .off, mapVerification: .never))
        try harness.start()
        try harness.backend.stop()
        #expect(harness.backend.counts.batches == 0)
        #expect(!harness.device.takeTrace().contains("BATCH_END"))
    }

    @Test("without IOTLB_BATCH there are no batch markers")
    func unbatched() throws {
        let device = RecordingDevice()
        device.backendFeatures.remove(.iotlbBatch)
        let harness = try Harness(device, configuration: .init(mapVerification: .always))
        #expect(
            device.takeTrace().suffix(3) == [
                "UPDATE 0x0-0x9ffff RW", "UPDATE 0xf0000-0xfffff RO", "UPDATE 0x100000-0x7fffff RW",
            ])
        #expect(harness.backend.counts.batches == 0)
    }

    // MARK: Whole pages

    @Test(
        "a section's start rounds up and its end down to host pages",
        arguments: [
            (0x1000, 0x1000, "0x1000-0x1fff"), (0x1001, 0x2fff, "0x2000-0x3fff"),
            (0x1fff, 0x2001, "0x2000-0x3fff"),
            (0x1000, 0x1fff, "0x1000-0x1fff"),
            (0xffff_ffff_ffff_e000, 0x2000, "0xffffffffffffe000-0xffffffffffffffff"),
        ] as [(UInt64, UInt64, String)])
    func rounding(first: UInt64, byteCount: UInt64, expected: String) throws {
        let section = Guest.section(first, byteCount, "odd")
        let harness = try Harness(addressSpace: FakeAddressSpace([section]))
        #expect(harness.device.takeTrace().contains("UPDATE \(expected) RW"))
        let entry = try #require(harness.device.table.first)
        #expect(entry.host.rawValue & 0xfff == 0)
        guard case .memory(let host) = section.backing else { return }
        #expect(entry.host.rawValue - host.rawValue == entry.range.first.rawValue - first)
    }

    @Test(
        "a section without a whole page, or whose addresses differ within a page, is left out",
        arguments: [
            Guest.section(0x1800, 0x1000, "small"), Guest.section(0x10, 0x20, "tiny"),
            Guest.section(0xffff_ffff_ffff_f800, 0x100, "end"),
            Guest.section(0x1000, 0x4000, "shifted", hostOffset: 0x800),
        ])
    func omitted(section: MemorySection) throws {
        let harness = try Harness(addressSpace: FakeAddressSpace([section]))
        #expect(harness.backend.counts.updates == 0)
        #expect(harness.backend.mappedSections == [])
    }

    // MARK: The IOVA range

    @Test("a section that ends exactly at the limit is accepted")
    func atLimit() throws {
        let device = RecordingDevice()
        device.iovaRange = (0, 0x7f_ffff)
        let harness = try Harness(device)
        #expect(harness.backend.counts.updates == 3)
    }

    @Test(
        "a section beyond the limit is an error that names it, and the device is closed without a map",
        arguments: [(UInt64(0), UInt64(0x7f_fffe)), (0, 0x0f_ffff), (0x1000, 0x7f_ffff)])
    func beyondLimit(first: UInt64, last: UInt64) throws {
        let device = RecordingDevice()
        device.iovaRange = (first, last)
        let addressSpace = FakeAddressSpace()
        let error = #expect(throws: BackendError.self) { _ = try Harness(device, addressSpace: addressSpace) }
        #expect(error?.code == .sectionOutsideRange)
        #expect(error?.message.contains(first == 0 ? "ram.high" : "ram.low") == true)
        #expect(error?.message.contains("0x\(String(last, radix: 16))") == true)
        #expect(device.isClosed)
        #expect(!device.takeTrace().contains { $0.hasPrefix("UPDATE") })
    }

    @Test("a plug beyond the limit is refused, mapped or not, and changes nothing", arguments: [true, false])
    func plugBeyondLimit(isMapped: Bool) throws {
        let device = RecordingDevice()
        device.iovaRange = (0, 0xffff_ffff)
        let harness = try Harness(device, configuration: .init(mapsWhenOpened: isMapped))
        let error = #expect(throws: MemoryListenerError.self) { try harness.addressSpace.plug(Guest.dimm) }
        #expect((error?.underlying as? BackendError)?.code == .sectionOutsideRange)
        #expect(harness.backend.mappedSections == Guest.sections)
    }

    @Test("memory that is not shared is refused by name")
    func notShared() throws {
        let shared = AddressRange<HostAddress>(
            first: .init(rawValue: 0x7000_0000_0000), last: .init(rawValue: 0x7000_000f_ffff))!
        let error = #expect(throws: BackendError.self) { _ = try Harness(limits: .stub(shared: [shared])) }
        #expect(error?.code == .memoryNotShared)
        #expect(error?.message.contains("ram.high") == true)
    }

    @Test("shared mappings are read from the kernel's own list, adjacent ones as one")
    func sharedMappings() {
        let maps = """
            55d0a0000000-55d0a0001000 r-xp 00000000 08:01 1 /bin/emu
            7f0000000000-7f0000001000 rw-s 00000000 00:01 7 /memfd:ram (deleted)
            7f0000001000-7f0000003000 r--s 00001000 00:01 7 /memfd:ram (deleted)
            7f0000004000-7f0000005000 rw-s 00000000 00:01 8 /memfd:rom (deleted)
            7f0000006000-7f0000007000 rw-p 00000000 00:00 0
            """
        #expect(
            MapLimits.sharedMappings(inMaps: maps).map(\.description) == [
                "[0x7f0000000000, 0x7f0000002fff]", "[0x7f0000004000, 0x7f0000004fff]",
            ])
        #expect(MapLimits.current().pinned() != nil)
        #expect(MapLimits.current().sharedMappings() != nil)
    }
}
