import GuestMemory

/// A chain under construction: adds up descriptors while it checks them.
struct ChainWalk {
    let head: UInt16
    let start: Int
    var readableCount = 0
    var readableBytes: UInt32 = 0
    var totalBytes: UInt32 = 0
    /// The number of segments, and whether a writable one has been seen.
    var count = 0
    var isWritable = false

    init(head: UInt16, start: Int) {
        self.head = head
        self.start = start
    }

    var chain: DescriptorChain {
        DescriptorChain(
            head: head, start: start,
            readableCount: isWritable ? readableCount : count,
            writableCount: isWritable ? count &- readableCount : 0,
            readableBytes: isWritable ? readableBytes : totalBytes,
            writableBytes: isWritable ? totalBytes &- readableBytes : 0
        )
    }

    /// Checks the descriptor of these two words and appends what it translates to.
    @inline(__always)
    mutating func append(
        _ address: UInt64, _ rest: UInt64, into segments: inout SegmentBuffer,
        translation: inout TranslationTable
    ) throws(VirtQueueError) {
        let byteCount = UInt32(truncatingIfNeeded: rest)
        guard byteCount != 0 else { throw VirtQueueError(.emptyDescriptor, head: head) }
        let writes = rest & RingFormat.writeBit != 0
        if writes != isWritable {
            guard writes else { throw VirtQueueError(.readableAfterWritable, head: head) }
            isWritable = true
            readableCount = count
            readableBytes = totalBytes
        }
        let (total, isTooLarge) = totalBytes.addingReportingOverflow(byteCount)
        guard !isTooLarge else { throw VirtQueueError(.chainTooLarge, head: head) }
        totalBytes = total
        var at = IOVirtualAddress(rawValue: address)
        var left = byteCount
        let access: MemoryAccess = MemoryAccess(rawValue: writes ? 2 : 1)
        while true {
            let run: UnsafeMutableRawBufferPointer
            do throws(TranslationFault) {
                unsafe run = try translation.run(at: at, byteCount: left, access: access)
            } catch {
                throw VirtQueueError(.fault(error), head: head)
            }
            guard let pointer = run.baseAddress, unsafe segments.append(pointer, byteCount: run.count) else {
                throw VirtQueueError(.tooManySegments, head: head)
            }
            count &+= 1
            let part = UInt32(truncatingIfNeeded: run.count)
            if part == left { return }
            left &-= part
            guard let following = at.advanced(by: ByteCount(rawValue: UInt64(part))) else {
                throw VirtQueueError(.fault(TranslationFault(address: at, access: access)), head: head)
            }
            at = following
        }
    }

    /// Checks and appends the table that an indirect descriptor of these two words names.
    ///
    /// It ends the chain: NEXT beside INDIRECT is refused, WRITE beside it ignored (virtio 1.2, section
    /// 2.7.5.3).
    mutating func followIndirect(
        _ address: UInt64, _ rest: UInt64, into segments: inout SegmentBuffer,
        translation: inout TranslationTable
    ) throws(VirtQueueError) {
        let byteCount = UInt32(truncatingIfNeeded: rest)
        let size = Int(byteCount) / RingFormat.descriptorBytes
        guard
            size != 0, size <= RingFormat.maximumSize,
            Int(byteCount) == size &* RingFormat.descriptorBytes,
            rest & RingFormat.nextBit == 0
        else { throw VirtQueueError(.invalidIndirectTable, head: head) }
        let table: IndirectTable
        do throws(TranslationFault) {
            table = try IndirectTable(
                at: IOVirtualAddress(rawValue: address), byteCount: byteCount, translation: &translation)
        } catch {
            throw VirtQueueError(.fault(error), head: head)
        }
        var index = 0
        var left = size
        while true {
            let words: (address: UInt64, rest: UInt64)
            do throws(TranslationFault) {
                words = try table.descriptor(index, translation: &translation)
            } catch {
                throw VirtQueueError(.fault(error), head: head)
            }
            guard words.rest & RingFormat.indirectBit == 0 else {
                throw VirtQueueError(.invalidIndirectTable, head: head)
            }
            try append(words.address, words.rest, into: &segments, translation: &translation)
            if words.rest & RingFormat.nextBit == 0 { return }
            left &-= 1
            let following = UInt16(truncatingIfNeeded: words.rest >> 48)
            guard left != 0 else { throw VirtQueueError(.chainTooLong, head: head) }
            guard Int(following) < size else {
                throw VirtQueueError(.descriptorOutOfRange(following), head: head)
            }
            index = Int(following)
        }
    }
}
