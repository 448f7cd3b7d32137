import Glibc
import GuestMemory
import Testing
import VirtQueue
import Virtio

/// Chains that no driver in its senses makes: each is refused by name, given back empty, and the queue goes on.
@Suite
struct HostileChainTests {
    typealias Chain = DescriptorChainTests

    @Test("A chain as long as its table is taken, one that loops is refused", arguments: [false, true])
    func loop(inTable: Bool) throws {
        for loops in [false, true] {
            let ring = try HandRing(size: 16)
            for index in 0..<16 {
                let isLast = index == 15 && !loops
                ring.descriptor(
                    index, flags: isLast ? 0 : Chain.next, next: UInt16((index + 1) % 16), inTable: inTable)
            }
            Chain.place(ring, inTable: inTable, count: 16)
            if loops {
                #expect(throws: VirtQueueError(.chainTooLong, chain: ChainHandle(id: 0))) {
                    try Chain.pop(ring)
                }
            } else {
                #expect(try Chain.pop(ring).segments.count == 16)
            }
        }
    }

    @Test(
        "A descriptor out of the table's range is refused", arguments: [false, true], [4, 5, 0x8000, 65535])
    func range(inTable: Bool, index: UInt16) throws {
        let ring = try HandRing(size: 4)
        ring.descriptor(0, flags: Chain.next, next: index, inTable: inTable)
        Chain.place(ring, inTable: inTable, count: 4)
        #expect(throws: VirtQueueError(.descriptorOutOfRange(index), chain: ChainHandle(id: 0))) {
            try Chain.pop(ring)
        }
    }

    @Test("A descriptor without a byte is refused", arguments: [false, true])
    func empty(inTable: Bool) throws {
        let ring = try HandRing(size: 4)
        ring.descriptor(0, flags: Chain.next, next: 1, inTable: inTable)
        ring.descriptor(1, HandRing.buffer, 0, inTable: inTable)
        Chain.place(ring, inTable: inTable, count: 2)
        #expect(throws: VirtQueueError(.emptyDescriptor, chain: ChainHandle(id: 0))) { try Chain.pop(ring) }
    }

    @Test("A readable descriptor behind a writable one is refused", arguments: [false, true])
    func backwards(inTable: Bool) throws {
        let ring = try HandRing(size: 4)
        ring.descriptor(0, flags: Chain.next | Chain.write, next: 1, inTable: inTable)
        ring.descriptor(1, inTable: inTable)
        Chain.place(ring, inTable: inTable, count: 2)
        #expect(throws: VirtQueueError(.readableAfterWritable, chain: ChainHandle(id: 0))) {
            try Chain.pop(ring)
        }
    }

    struct BadTable: Sendable {
        let name: String
        let byteCount: UInt32
        let flags: UInt16
        var innerFlags: UInt16 = 0
        var features: VirtioFeatures = .indirectDescriptors
    }

    @Test(
        "A wrong indirect table is refused",
        arguments: [
            BadTable(name: "not negotiated", byteCount: 16, flags: Chain.indirect, features: []),
            BadTable(name: "empty", byteCount: 0, flags: Chain.indirect),
            BadTable(name: "less than a descriptor", byteCount: 15, flags: Chain.indirect),
            BadTable(name: "not a multiple of a descriptor", byteCount: 17, flags: Chain.indirect),
            BadTable(name: "too long", byteCount: 16 * 32769, flags: Chain.indirect),
            BadTable(name: "longest", byteCount: 0xFFFF_FFF0, flags: Chain.indirect),
            BadTable(name: "with NEXT", byteCount: 16, flags: Chain.indirect | Chain.next),
            BadTable(name: "nested", byteCount: 16, flags: Chain.indirect, innerFlags: Chain.indirect),
        ])
    func badTable(_ bad: BadTable) throws {
        let ring = try HandRing(size: 4)
        ring.descriptor(0, ProgramMemory.tableAddress, bad.byteCount, flags: bad.flags, next: 1)
        ring.descriptor(1)
        ring.descriptor(0, flags: bad.innerFlags, inTable: true)
        #expect(throws: VirtQueueError(.invalidIndirectTable, chain: ChainHandle(id: 0))) {
            try Chain.pop(ring, bad.features)
        }
    }

    /// The ring's own map, and one of 4 GiB at 1 << 40 whose bytes nobody touches.
    private static func tableWithHugeMap(_ ring: HandRing) throws -> TranslationTable {
        let huge = try #require(
            AddressRange(
                first: IOVirtualAddress(rawValue: 1 << 40), byteCount: ByteCount(rawValue: 1 << 32)))
        let start = UInt64(UInt(bitPattern: unsafe ring.memory.ring.start))
        let range = try #require(
            AddressRange(
                first: ring.layout.addresses.descriptorArea, byteCount: ByteCount(ring.geometry.byteCount)))
        return TranslationTable([
            TranslationEntry(range: huge, host: HostAddress(rawValue: 4096), access: .read),
            TranslationEntry(range: range, host: HostAddress(rawValue: start), access: .readWrite),
        ])
    }

    @Test("More bytes than 32 bits count are refused")
    func tooLarge() throws {
        let ring = try HandRing(size: 4)
        var table = try Self.tableWithHugeMap(ring)
        var segments = SegmentBuffer(capacity: 4)
        var device = try ring.device(table: &table)
        ring.descriptor(0, 1 << 40, 0xFFFF_FFFF, flags: Chain.next, next: 1)
        ring.descriptor(1, 1 << 40, 1)
        ring.descriptor(2, 1 << 40, 0xFFFF_FFFF)
        ring.offer(0)
        ring.offer(2)
        #expect(throws: VirtQueueError(.chainTooLarge, chain: ChainHandle(id: 0))) {
            _ = try device.pop(into: &segments, translation: &table)
        }
        device.complete(ChainHandle(id: 0), byteCount: 0)
        let chain = try device.pop(into: &segments, translation: &table)
        #expect(chain?.readableBytes == .max)
    }

    @Test("One buffer in the map that answered last is checked like any other, for its length and its access")
    func lastMap() throws {
        let ring = try HandRing(size: 4)
        // A length of 0 less one is in no map but one of 4 GiB.
        var table = try Self.tableWithHugeMap(ring)
        var segments = SegmentBuffer(capacity: 4)
        var device = try ring.device(table: &table)
        ring.descriptor(0, 1 << 40, 16)
        ring.descriptor(1, 1 << 40, 0)
        ring.descriptor(2, 1 << 40, 16, flags: Chain.write)
        for head in 0..<3 as Range<UInt16> { ring.offer(head) }
        let chain = try device.pop(into: &segments, translation: &table)
        #expect(chain?.readableBytes == 16)
        #expect(throws: VirtQueueError(.emptyDescriptor, chain: ChainHandle(id: 1))) {
            _ = try device.pop(into: &segments, translation: &table)
        }
        let fault = TranslationFault(address: IOVirtualAddress(rawValue: 1 << 40), access: .write)
        #expect(throws: VirtQueueError(.fault(fault), chain: ChainHandle(id: 2))) {
            _ = try device.pop(into: &segments, translation: &table)
        }
    }

    @Test("More segments than the buffer has room for are refused, what was there stays")
    func tooMany() throws {
        let ring = try HandRing(size: 4)
        for index in 0..<4 {
            ring.descriptor(index, flags: index == 3 ? 0 : Chain.next, next: UInt16(index + 1))
        }
        #expect(throws: VirtQueueError(.tooManySegments, chain: ChainHandle(id: 0))) {
            try Chain.pop(ring, capacity: 3)
        }
        #expect(try HandRing(size: 4).geometry.size == 4)

        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 5)
        var device = try ring.device(state: .split(nextAvail: 1), table: &table)
        ring.descriptor(1)
        ring.offer(1)
        ring.offer(0)
        ring.descriptor(0, HandRing.buffer, 1300)
        let first = try device.pop(into: &segments, translation: &table)
        #expect(first?.readableCount == 1)
        #expect(throws: VirtQueueError(.tooManySegments, chain: ChainHandle(id: 0))) {
            _ = try device.pop(into: &segments, translation: &table)
        }
        #expect(segments.count == 1)
    }

    struct BadAddress: Sendable {
        let address: UInt64
        let byteCount: UInt32
        let flags: UInt16
        let fault: UInt64
    }

    @Test(
        "An address the IOTLB refuses is a fault at the first byte that has no map",
        arguments: [
            BadAddress(address: 0, byteCount: 1, flags: 0, fault: 0),
            BadAddress(
                address: ProgramMemory.readOnlyAddress + 4000, byteCount: 97, flags: 0,
                fault: ProgramMemory.readOnlyAddress + 4096),
            BadAddress(
                address: ProgramMemory.readOnlyAddress, byteCount: 1, flags: Chain.write,
                fault: ProgramMemory.readOnlyAddress),
            BadAddress(
                address: ProgramMemory.writeOnlyAddress, byteCount: 1, flags: 0,
                fault: ProgramMemory.writeOnlyAddress),
            BadAddress(
                address: ProgramMemory.writeOnlyAddress, byteCount: 16, flags: Chain.indirect,
                fault: ProgramMemory.writeOnlyAddress),
            BadAddress(
                address: ProgramMemory.readOnlyAddress + 4088, byteCount: 32, flags: Chain.indirect,
                fault: ProgramMemory.readOnlyAddress + 4096),
            BadAddress(address: .max, byteCount: 16, flags: Chain.indirect, fault: .max),
            BadAddress(address: .max - 1, byteCount: 4, flags: 0, fault: .max - 1),
        ])
    func fault(_ bad: BadAddress) throws {
        let ring = try HandRing(size: 4)
        ring.descriptor(0, bad.address, bad.byteCount, flags: bad.flags)
        let fault = TranslationFault(
            address: IOVirtualAddress(rawValue: bad.fault),
            access: bad.flags & Chain.write != 0 ? .write : .read)
        #expect(throws: VirtQueueError(.fault(fault), chain: ChainHandle(id: 0))) { try Chain.pop(ring) }
    }

    @Test("A buffer that wraps the address space is a fault even where both ends are mapped")
    func wrap() throws {
        let ring = try HandRing(size: 4)
        let start = UInt64(UInt(bitPattern: unsafe ring.memory.ring.start))
        func entry(_ first: UInt64, _ count: Int) throws -> TranslationEntry {
            let range = try #require(
                AddressRange(first: IOVirtualAddress(rawValue: first), byteCount: ByteCount(count)))
            return TranslationEntry(range: range, host: HostAddress(rawValue: start), access: .readWrite)
        }
        var table = TranslationTable([
            try entry(0, 256), try entry(.max - 63, 64),
            try entry(ProgramMemory.ringAddress, ring.geometry.byteCount),
        ])
        var segments = SegmentBuffer(capacity: 4)
        var device = try ring.device(.indirectDescriptors, table: &table)
        ring.descriptor(0, .max - 15, 32)
        ring.descriptor(1, .max - 7, 32, flags: Chain.indirect)
        for head in UInt16(0)..<2 {
            ring.offer(head)
            let error = #expect(throws: VirtQueueError.self) {
                _ = try device.pop(into: &segments, translation: &table)
            }
            guard case .fault = error?.code else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(error?.chain?.id == head)
            device.complete(ChainHandle(id: head), byteCount: 0)
        }
    }
}
