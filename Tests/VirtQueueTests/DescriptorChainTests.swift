import Glibc
import GuestMemory
import Testing
import VirtQueue

/// What a chain may look like, and what is said about one that may not.
@Suite
struct DescriptorChainTests {
    static let read: UInt16 = 0
    static let next = HandRing.next
    static let write = HandRing.write
    static let indirect = HandRing.indirect

    /// Pops the chain at 0 of a ring of `size` and gives it with its segments as (offset from the buffers'
    /// first host block where the segment lies in it, length).
    static func pop(
        _ ring: HandRing, _ features: VirtQueueFeatures = .indirectDescriptors, capacity: Int = 64
    ) throws -> (chain: DescriptorChain?, segments: [Int]) {
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: capacity)
        var device = try ring.device(features, table: &table)
        ring.offer(0)
        do {
            let chain = try device.pop(into: &segments, translation: &table)
            check(device.nextAvail == 1)
            return (chain, (0..<segments.count).map { unsafe segments[$0].iov_len })
        } catch {
            #expect(segments.count == 0)
            if let head = error.head {
                // The chain's error is its own: returned empty, it leaves a queue that goes on.
                #expect(head == 0)
                check(device.nextAvail == 1 && device.inFlight == 1 && !device.isBroken)
                device.complete(head: head, byteCount: 0)
                _ = device.publish()
                #expect(ring.usedElement(0) == [0, 0])
                try check(device.pop(into: &segments, translation: &table) == nil)
            } else {
                check(device.isBroken)
                check(device.nextAvail == 0)
                check(!device.requestKicks())
            }
            throw error
        }
    }

    /// Where the descriptors of a test stand: in the ring's table or in an indirect one.
    static func place(_ ring: HandRing, inTable: Bool, count: UInt32) {
        if inTable { ring.descriptor(0, ProgramMemory.tableAddress, 16 * count, flags: indirect) }
    }

    @Test("Readable segments come first, then writable ones", arguments: [false, true])
    func shape(inTable: Bool) throws {
        let ring = try HandRing(size: 8)
        Self.place(ring, inTable: inTable, count: 5)
        ring.descriptor(0, HandRing.buffer, 10, flags: Self.next, next: 4, inTable: inTable)
        ring.descriptor(4, HandRing.buffer, 20, flags: Self.next, next: 1, inTable: inTable)
        ring.descriptor(1, HandRing.buffer, 30, flags: Self.next | Self.write, next: 3, inTable: inTable)
        ring.descriptor(3, HandRing.buffer, 40, flags: Self.write, inTable: inTable)
        if inTable { Self.place(ring, inTable: true, count: 5) }
        let (chain, segments) = try Self.pop(ring)
        #expect(segments == [10, 20, 30, 40])
        #expect(chain?.readableStart == 0 && chain?.readableCount == 2 && chain?.readableBytes == 30)
        #expect(chain?.writableStart == 2 && chain?.writableCount == 2 && chain?.writableBytes == 70)
    }

    @Test("A buffer across maps becomes one segment per map")
    func fragments() throws {
        let ring = try HandRing(size: 8)
        ring.descriptor(0, HandRing.buffer + 200, 400, flags: Self.next | Self.write, next: 1)
        ring.descriptor(1, HandRing.buffer, 256, flags: Self.write)
        let (chain, segments) = try Self.pop(ring)
        #expect(segments == [56, 256, 88, 256])
        #expect(chain?.writableCount == 4 && chain?.writableBytes == 656 && chain?.readableCount == 0)
    }

    @Test("Chains append to the buffer behind each other")
    func batch() throws {
        let ring = try HandRing(size: 8)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 8)
        var device = try ring.device(table: &table)
        for head in UInt16(0)..<3 {
            ring.descriptor(Int(head), HandRing.buffer, UInt32(head) + 1)
            ring.offer(head)
        }
        for head in 0..<3 {
            let chain = try device.pop(into: &segments, translation: &table)
            #expect(chain?.readableStart == head && chain?.readableCount == 1)
        }
        segments.truncate(to: 1)
        #expect(segments.count == 1)
    }

    @Test("Direct descriptors may precede the one that names an indirect table, which ends the chain")
    func directThenIndirect() throws {
        let ring = try HandRing(size: 8)
        ring.descriptor(0, HandRing.buffer, 10, flags: Self.next, next: 1)
        ring.descriptor(1, ProgramMemory.tableAddress, 32, flags: Self.indirect | Self.write)
        ring.descriptor(0, HandRing.buffer, 20, flags: Self.next, next: 1, inTable: true)
        ring.descriptor(1, HandRing.buffer, 30, flags: Self.write, inTable: true)
        let (chain, segments) = try Self.pop(ring)
        #expect(segments == [10, 20, 30])
        #expect(chain?.readableBytes == 30 && chain?.writableBytes == 30)
    }

    @Test(
        "An indirect table may lie unaligned and across maps", arguments: [1, 8, 12, 250, 256 - 16, 256 - 20])
    func tablePlaces(offset: Int) throws {
        let ring = try HandRing(size: 2)
        // The buffers' blocks are 256 bytes each, apart in host memory: write the table byte by byte.
        var bytes: [UInt8] = []
        for index in 0..<3 {
            let flags: UInt64 = index < 2 ? 1 : 2
            for word in [HandRing.buffer, UInt64(7 + index) | flags << 32 | UInt64(index + 1) << 48] {
                for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * shift))) }
            }
        }
        for (index, byte) in bytes.enumerated() {
            let at = offset + index
            let block = ring.memory.blocks[2 + at / 256]
            ProgramMemory.poke(UInt64(byte), in: block, at: at % 256, 1)
        }
        ring.descriptor(0, HandRing.buffer + UInt64(offset), 48, flags: Self.indirect)
        let (chain, segments) = try Self.pop(ring)
        #expect(segments == [7, 8, 9])
        #expect(chain?.readableCount == 2 && chain?.writableBytes == 9)
    }

    @Test("A chain as long as its table is taken, one that loops is refused", arguments: [false, true])
    func loop(inTable: Bool) throws {
        for loops in [false, true] {
            let ring = try HandRing(size: 16)
            for index in 0..<16 {
                let isLast = index == 15 && !loops
                ring.descriptor(
                    index, flags: isLast ? 0 : Self.next, next: UInt16((index + 1) % 16), inTable: inTable)
            }
            Self.place(ring, inTable: inTable, count: 16)
            if loops {
                #expect(throws: VirtQueueError(.chainTooLong, head: 0)) { try Self.pop(ring) }
            } else {
                #expect(try Self.pop(ring).segments.count == 16)
            }
        }
    }

    @Test(
        "A descriptor out of the table's range is refused", arguments: [false, true], [4, 5, 0x8000, 65535])
    func range(inTable: Bool, index: UInt16) throws {
        let ring = try HandRing(size: 4)
        ring.descriptor(0, flags: Self.next, next: index, inTable: inTable)
        Self.place(ring, inTable: inTable, count: 4)
        #expect(throws: VirtQueueError(.descriptorOutOfRange(index), head: 0)) { try Self.pop(ring) }
    }

    @Test("A descriptor without a byte is refused", arguments: [false, true])
    func empty(inTable: Bool) throws {
        let ring = try HandRing(size: 4)
        ring.descriptor(0, flags: Self.next, next: 1, inTable: inTable)
        ring.descriptor(1, HandRing.buffer, 0, inTable: inTable)
        Self.place(ring, inTable: inTable, count: 2)
        #expect(throws: VirtQueueError(.emptyDescriptor, head: 0)) { try Self.pop(ring) }
    }

    @Test("A readable descriptor behind a writable one is refused", arguments: [false, true])
    func backwards(inTable: Bool) throws {
        let ring = try HandRing(size: 4)
        ring.descriptor(0, flags: Self.next | Self.write, next: 1, inTable: inTable)
        ring.descriptor(1, inTable: inTable)
        Self.place(ring, inTable: inTable, count: 2)
        #expect(throws: VirtQueueError(.readableAfterWritable, head: 0)) { try Self.pop(ring) }
    }

    struct BadTable: Sendable {
        let name: String
        let byteCount: UInt32
        let flags: UInt16
        var innerFlags: UInt16 = 0
        var features: VirtQueueFeatures = .indirectDescriptors
    }

    @Test(
        "A wrong indirect table is refused",
        arguments: [
            BadTable(name: "not negotiated", byteCount: 16, flags: indirect, features: []),
            BadTable(name: "empty", byteCount: 0, flags: indirect),
            BadTable(name: "less than a descriptor", byteCount: 15, flags: indirect),
            BadTable(name: "not a multiple of a descriptor", byteCount: 17, flags: indirect),
            BadTable(name: "too long", byteCount: 16 * 32769, flags: indirect),
            BadTable(name: "longest", byteCount: 0xFFFF_FFF0, flags: indirect),
            BadTable(name: "with NEXT", byteCount: 16, flags: indirect | next),
            BadTable(name: "nested", byteCount: 16, flags: indirect, innerFlags: indirect),
        ])
    func badTable(_ bad: BadTable) throws {
        let ring = try HandRing(size: 4)
        ring.descriptor(0, ProgramMemory.tableAddress, bad.byteCount, flags: bad.flags, next: 1)
        ring.descriptor(1)
        ring.descriptor(0, flags: bad.innerFlags, inTable: true)
        #expect(throws: VirtQueueError(.invalidIndirectTable, head: 0)) { try Self.pop(ring, bad.features) }
    }

    @Test("More bytes than 32 bits count are refused")
    func tooLarge() throws {
        let ring = try HandRing(size: 4)
        // One map of 4 GiB whose bytes nobody touches.
        let huge = try #require(
            AddressRange(
                first: IOVirtualAddress(rawValue: 1 << 40), byteCount: ByteCount(rawValue: 1 << 32)))
        let start = UInt64(UInt(bitPattern: unsafe ring.memory.ring.start))
        let range = try #require(
            AddressRange(
                first: ring.layout.descriptorTable, byteCount: ByteCount(ring.geometry.byteCount)))
        var table = TranslationTable([
            TranslationEntry(range: huge, host: HostAddress(rawValue: 4096), access: .read),
            TranslationEntry(range: range, host: HostAddress(rawValue: start), access: .readWrite),
        ])
        var segments = SegmentBuffer(capacity: 4)
        var device = try ring.device(table: &table)
        ring.descriptor(0, 1 << 40, 0xFFFF_FFFF, flags: Self.next, next: 1)
        ring.descriptor(1, 1 << 40, 1)
        ring.descriptor(2, 1 << 40, 0xFFFF_FFFF)
        ring.offer(0)
        ring.offer(2)
        #expect(throws: VirtQueueError(.chainTooLarge, head: 0)) {
            _ = try device.pop(into: &segments, translation: &table)
        }
        device.complete(head: 0, byteCount: 0)
        let chain = try device.pop(into: &segments, translation: &table)
        #expect(chain?.readableBytes == .max)
    }

    @Test("More segments than the buffer has room for are refused, what was there stays")
    func tooMany() throws {
        let ring = try HandRing(size: 4)
        for index in 0..<4 {
            ring.descriptor(index, flags: index == 3 ? 0 : Self.next, next: UInt16(index + 1))
        }
        #expect(throws: VirtQueueError(.tooManySegments, head: 0)) { try Self.pop(ring, capacity: 3) }
        #expect(try HandRing(size: 4).geometry.size == 4)

        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 5)
        var device = try ring.device(base: 1, table: &table)
        ring.descriptor(1)
        ring.offer(1)
        ring.offer(0)
        ring.descriptor(0, HandRing.buffer, 1300)
        let first = try device.pop(into: &segments, translation: &table)
        #expect(first?.readableCount == 1)
        #expect(throws: VirtQueueError(.tooManySegments, head: 0)) {
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
                address: ProgramMemory.readOnlyAddress, byteCount: 1, flags: write,
                fault: ProgramMemory.readOnlyAddress),
            BadAddress(
                address: ProgramMemory.writeOnlyAddress, byteCount: 1, flags: 0,
                fault: ProgramMemory.writeOnlyAddress),
            BadAddress(
                address: ProgramMemory.writeOnlyAddress, byteCount: 16, flags: indirect,
                fault: ProgramMemory.writeOnlyAddress),
            BadAddress(
                address: ProgramMemory.readOnlyAddress + 4088, byteCount: 32, flags: indirect,
                fault: ProgramMemory.readOnlyAddress + 4096),
            BadAddress(address: .max, byteCount: 16, flags: indirect, fault: .max),
            BadAddress(address: .max - 1, byteCount: 4, flags: 0, fault: .max - 1),
        ])
    func fault(_ bad: BadAddress) throws {
        let ring = try HandRing(size: 4)
        ring.descriptor(0, bad.address, bad.byteCount, flags: bad.flags)
        let fault = TranslationFault(
            address: IOVirtualAddress(rawValue: bad.fault),
            access: bad.flags & Self.write != 0 ? .write : .read)
        #expect(throws: VirtQueueError(.fault(fault), head: 0)) { try Self.pop(ring) }
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
        ring.descriptor(1, .max - 7, 32, flags: Self.indirect)
        for head in UInt16(0)..<2 {
            ring.offer(head)
            let error = #expect(throws: VirtQueueError.self) {
                _ = try device.pop(into: &segments, translation: &table)
            }
            guard case .fault = error?.code else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(error?.head == head)
            device.complete(head: head, byteCount: 0)
        }
    }

    @Test(
        "An avail index that no driver can have written breaks the ring",
        arguments: [5, 6, 100, 0x8000, 65535])
    func jump(index: UInt16) throws {
        let ring = try HandRing(size: 4)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 4)
        var device = try ring.device(table: &table)
        ring.availIndex = index
        let error = VirtQueueError(.availIndexJump(from: 0, to: index))
        #expect(throws: error) { _ = try device.pop(into: &segments, translation: &table) }
        // An index put right again does not mend the ring.
        ring.availIndex = 1
        #expect(throws: error) { _ = try device.pop(into: &segments, translation: &table) }
        check(!device.hasAvailable())
        check(device.nextAvail == 0)
    }

    @Test("A driver cannot have more chains out than the ring has descriptors")
    func overcommit() throws {
        let ring = try HandRing(size: 4)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 8)
        var device = try ring.device(table: &table)
        ring.descriptor(0)
        for _ in 0..<4 { ring.offer(0) }
        while try device.pop(into: &segments, translation: &table) != nil {}
        device.complete(head: 0, byteCount: 0)
        // Completed, but the driver has not seen it.
        ring.offer(0)
        #expect(throws: VirtQueueError(.availIndexJump(from: 4, to: 5))) {
            _ = try device.pop(into: &segments, translation: &table)
        }
        // What is in flight can still be returned.
        for _ in 0..<3 { device.complete(head: 0, byteCount: 0) }
        _ = device.publish()
        #expect(ring.usedIndex == 4)
    }

    @Test("An avail entry out of the table's range breaks the ring", arguments: [4, 0xFFFF])
    func badHead(head: UInt16) throws {
        let ring = try HandRing(size: 4)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 8)
        var device = try ring.device(table: &table)
        ring.offer(head)
        ring.offer(0)
        for _ in 0..<2 {
            #expect(throws: VirtQueueError(.descriptorOutOfRange(head))) {
                _ = try device.pop(into: &segments, translation: &table)
            }
        }
        check(device.nextAvail == 0)
    }

    @Test("Chains given back to a broken ring stay there")
    func rewindBroken() throws {
        let ring = try HandRing(size: 4)
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 8)
        var device = try ring.device(table: &table)
        ring.descriptor(0)
        ring.offer(0)
        ring.offer(9)
        _ = try device.pop(into: &segments, translation: &table)
        let error = VirtQueueError(.descriptorOutOfRange(9))
        #expect(throws: error) { _ = try device.pop(into: &segments, translation: &table) }
        device.rewind(1)
        #expect(throws: error) { _ = try device.pop(into: &segments, translation: &table) }
    }
}
