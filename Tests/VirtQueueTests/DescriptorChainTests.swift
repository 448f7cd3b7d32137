import Glibc
import GuestMemory
import Testing
import VirtQueue
import Virtio

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
        _ ring: HandRing, _ features: VirtioFeatures = .indirectDescriptors, capacity: Int = 64
    ) throws -> (chain: DescriptorChain?, segments: [Int]) {
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: capacity)
        var device = try ring.device(features, table: &table)
        ring.offer(0)
        do {
            let chain = try device.pop(into: &segments, translation: &table)
            check(device.state == .split(nextAvail: 1))
            return (chain, (0..<segments.count).map { unsafe segments[$0].iov_len })
        } catch {
            #expect(segments.count == 0)
            if let chain = error.chain {
                // The chain's error is its own: returned empty, it leaves a queue that goes on.
                #expect(chain.id == 0)
                check(device.state == .split(nextAvail: 1) && device.inFlight == 1 && !device.isBroken)
                device.complete(chain, byteCount: 0)
                _ = device.publish()
                #expect(ring.usedElement(0) == [0, 0])
                try check(device.pop(into: &segments, translation: &table) == nil)
            } else {
                check(device.isBroken)
                check(device.state == .split(nextAvail: 0))
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
        check(device.state == .split(nextAvail: 0))
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
        device.complete(ChainHandle(id: 0), byteCount: 0)
        // Completed, but the driver has not seen it.
        ring.offer(0)
        #expect(throws: VirtQueueError(.availIndexJump(from: 4, to: 5))) {
            _ = try device.pop(into: &segments, translation: &table)
        }
        // What is in flight can still be returned.
        for _ in 0..<3 { device.complete(ChainHandle(id: 0), byteCount: 0) }
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
        check(device.state == .split(nextAvail: 0))
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
        device.rewind(ChainHandle(id: 0))
        #expect(throws: error) { _ = try device.pop(into: &segments, translation: &table) }
    }
}
