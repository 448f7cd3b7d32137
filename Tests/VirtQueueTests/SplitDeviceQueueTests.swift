import GuestMemory
import Testing
import VirtQueue
import Virtio

/// How a device queue starts, where it reads and writes, and how another one goes on.
@Suite
struct SplitDeviceQueueTests {
    @Test(
        "A size that is not a power of two up to 32768 is refused", arguments: [0, 3, 6, 1000, 32769, 65535])
    func size(_ size: UInt16) throws {
        let ring = try HandRing(size: 8)
        var table = ring.memory.table()
        let layout = RingLayout(size: size, addresses: ring.layout.addresses)
        let error = #expect(throws: VirtQueueError.self) {
            _ = try SplitDeviceQueue(
                layout: layout, features: [], state: .split(nextAvail: 0), translation: &table)
        }
        #expect(error == VirtQueueError(.invalidSize(size)))
        #expect(throws: VirtQueueError(.invalidSize(size))) { try RingGeometry(size: size) }
    }

    @Test("A ring area is aligned to 16, 2 and 4 bytes", arguments: [(8, 0, 0), (0, 1, 0), (0, 0, 2)])
    func alignment(_ offsets: (descriptors: UInt64, avail: UInt64, used: UInt64)) throws {
        let ring = try HandRing(size: 8)
        var table = ring.memory.table()
        func moved(_ address: IOVirtualAddress, _ offset: UInt64) -> IOVirtualAddress {
            IOVirtualAddress(rawValue: address.rawValue + offset)
        }
        let addresses = ring.layout.addresses
        let layout = RingLayout(
            size: 8,
            addresses: RingAddresses(
                descriptorArea: moved(addresses.descriptorArea, offsets.descriptors),
                driverArea: moved(addresses.driverArea, offsets.avail),
                deviceArea: moved(addresses.deviceArea, offsets.used)))
        let error = #expect(throws: VirtQueueError.self) {
            _ = try SplitDeviceQueue(
                layout: layout, features: [], state: .split(nextAvail: 0), translation: &table)
        }
        guard case .misalignedRing = error?.code else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("A map that shifts an aligned address to an unaligned host address is refused")
    func hostAlignment() throws {
        let ring = try HandRing(size: 8)
        let start = UInt64(UInt(bitPattern: unsafe ring.memory.ring.start))
        let range = try #require(
            AddressRange(
                first: IOVirtualAddress(rawValue: 0), byteCount: ByteCount(ring.geometry.byteCount - 1)))
        var table = TranslationTable([
            TranslationEntry(range: range, host: HostAddress(rawValue: start + 1), access: .readWrite)
        ])
        let layout = try RingGeometry(size: 1).layout(at: IOVirtualAddress(rawValue: 0))
        #expect(throws: VirtQueueError(.misalignedRing(layout.addresses.descriptorArea))) {
            _ = try SplitDeviceQueue(
                layout: layout, features: [], state: .split(nextAvail: 0), translation: &table)
        }
    }

    @Test("Each ring area needs a map with its permission, all of it", arguments: 0...2)
    func maps(area: Int) throws {
        let ring = try HandRing(size: 8)
        var table = ring.memory.table()
        let addresses = ring.layout.addresses
        var areas = [addresses.descriptorArea, addresses.driverArea, addresses.deviceArea]
        // The used ring must be writable, the other two readable.
        let wrong = area == 2 ? ProgramMemory.readOnlyAddress : ProgramMemory.writeOnlyAddress
        areas[area] = IOVirtualAddress(rawValue: wrong)
        let layout = RingLayout(
            size: 8,
            addresses: RingAddresses(
                descriptorArea: areas[0], driverArea: areas[1], deviceArea: areas[2]))
        let access: MemoryAccess = area == 2 ? .write : .read
        #expect(throws: VirtQueueError(.fault(TranslationFault(address: areas[area], access: access)))) {
            _ = try SplitDeviceQueue(
                layout: layout, features: [], state: .split(nextAvail: 0), translation: &table)
        }
        // A ring that starts in a map and ends behind it.
        areas[area] = IOVirtualAddress(rawValue: ProgramMemory.readOnlyAddress + 4096 - 16)
        let long = RingLayout(
            size: 8,
            addresses: RingAddresses(
                descriptorArea: areas[0], driverArea: areas[1], deviceArea: areas[2]))
        #expect(throws: VirtQueueError.self) {
            _ = try SplitDeviceQueue(
                layout: long, features: [.eventIndex], state: .split(nextAvail: 0), translation: &table)
        }
    }

    @Test("A queue starts at its base and writes nothing", arguments: [0, 1, 7, 65535])
    func base(_ base: UInt16) throws {
        let ring = try HandRing(size: 4, base: base)
        ring.usedIndex = 0x1234
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 4)
        var device = try ring.device(state: .split(nextAvail: base), table: &table)
        check(device.state == .split(nextAvail: base))
        check(device.chainsReturned == base)
        check(device.publishedUsedIndex == base)
        check(device.inFlight == 0)
        try check(device.pop(into: &segments, translation: &table) == nil)
        #expect(ring.usedIndex == 0x1234)
        ring.descriptor(2)
        ring.offer(2)
        let chain = try #require(try device.pop(into: &segments, translation: &table))
        device.complete(chain.handle, byteCount: 0)
        #expect(ring.usedIndex == 0x1234)
        let wantsCall = device.publish()
        #expect(wantsCall)
        #expect(ring.usedIndex == base &+ 1)
        #expect(ring.usedElement(Int(base) % 4) == [2, 0])
    }

    @Test("Completed chains appear all at once, in the order of completion")
    func order() throws {
        let ring = try HandRing(size: 8)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 8)
        var device = try ring.device(table: &table)
        for head in UInt16(0)..<4 {
            ring.descriptor(Int(head), flags: HandRing.write)
            ring.offer(head)
        }
        while try device.pop(into: &segments, translation: &table) != nil {}
        check(device.inFlight == 4)
        for head in [3, 0, 2] as [UInt16] {
            device.complete(ChainHandle(id: head), byteCount: UInt32(head) + 1)
            #expect(ring.usedIndex == 0)
        }
        check(device.inFlight == 1)
        check(device.chainsReturned == 3)
        check(device.publishedUsedIndex == 0)
        check(device.publish())
        check(!device.publish(), "nothing new to publish")
        #expect(ring.usedIndex == 3)
        #expect((0..<3).map(ring.usedElement) == [[3, 4], [0, 1], [2, 3]])
    }

    @Test("Chains given back are popped again, in order")
    func rewind() throws {
        let ring = try HandRing(size: 8)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 16)
        var device = try ring.device(table: &table)
        for head in UInt16(0)..<5 {
            ring.descriptor(Int(head))
            ring.offer(head)
        }
        for _ in 0..<5 { _ = try device.pop(into: &segments, translation: &table) }
        device.complete(ChainHandle(id: 0), byteCount: 0)
        for head in (UInt16(2)..<5).reversed() { device.rewind(ChainHandle(id: head)) }
        check(device.state == .split(nextAvail: 2))
        check(device.inFlight == 1)
        var heads: [UInt16] = []
        while let chain = try device.pop(into: &segments, translation: &table) { heads.append(chain.id) }
        #expect(heads == [2, 3, 4])
    }

    @Test("A queue made anew at its position goes on", arguments: [VirtioFeatures(), .eventIndex])
    func remade(_ features: VirtioFeatures) throws {
        let ring = try HandRing(size: 4)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 4)
        var device = try ring.device(features, table: &table)
        for head in UInt16(0)..<3 {
            ring.descriptor(Int(head))
            ring.offer(head)
        }
        for _ in 0..<2 { _ = try device.pop(into: &segments, translation: &table) }
        device.complete(ChainHandle(id: 1), byteCount: 0)
        device.complete(ChainHandle(id: 0), byteCount: 0)
        _ = device.publish()
        check(device.inFlight == 0)
        // The first queue ends here: the maps it was made of may go.
        table = ring.memory.table()
        device = try ring.device(features, state: device.state, table: &table)
        check(device.chainsReturned == 2)
        check(device.hasAvailable())
        let chain = try #require(try device.pop(into: &segments, translation: &table))
        #expect(chain.id == 2)
        try check(device.pop(into: &segments, translation: &table) == nil, "a chain came twice")
        device.complete(ChainHandle(id: 2), byteCount: 0)
        check(device.publish(), "an earlier call may not have arrived: the first publication calls")
        #expect(ring.usedIndex == 3)
        #expect((0..<3).map(ring.usedElement) == [[1, 0], [0, 0], [2, 0]])
    }
}
