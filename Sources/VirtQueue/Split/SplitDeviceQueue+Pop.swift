public import GuestMemory

extension SplitDeviceQueue {
    /// Takes the next chain from the avail ring and appends its segments to `segments`; `nil` where there is none.
    ///
    /// O(descriptors), bounded by the table's size and by the buffer's capacity. On an error nothing stays
    /// appended, and the buffer says how much was. The avail index is read only when the entries seen before are used up.
    ///
    /// What is inlined is the chain of one buffer in the map that answered last; every other chain is a call.
    ///
    /// - Throws: with a chain, whatever is wrong with the chain (virtio 1.2, sections 2.7.4 to 2.7.6), the avail
    ///   entry consumed; without one, ``VirtQueueError/Code/availIndexJump(from:to:)`` or
    ///   ``VirtQueueError/Code/descriptorOutOfRange(_:)``, the queue broken.
    @inlinable
    @inline(__always)
    public mutating func pop(
        into segments: inout SegmentBuffer, translation: inout TranslationTable
    ) throws(VirtQueueError) -> DescriptorChain? {
        if next == limit {
            guard try refresh() else { return nil }
        }
        let slot = Int(next & mask)
        let head = avail.load16(SplitRingNumbers.elementsOffset &+ SplitRingNumbers.availElementBytes &* slot)
        guard head <= mask else { try breakQueue(atHead: head) }
        next &+= 1
        let address = descriptors.load64(SplitRingNumbers.descriptorBytes &* Int(head))
        let rest = descriptors.load64(SplitRingNumbers.descriptorBytes &* Int(head) &+ 8)
        let byteCount = UInt32(truncatingIfNeeded: rest)
        let writes = rest & SplitRingNumbers.writeBit != 0
        let start = segments.count
        if rest & (SplitRingNumbers.nextBit | SplitRingNumbers.indirectBit) == 0, byteCount != 0,
            let pointer = unsafe translation.runInLastEntry(
                at: IOVirtualAddress(rawValue: address), byteCount: byteCount,
                access: MemoryAccess(rawValue: writes ? 2 : 1)),
            unsafe segments.append(pointer, byteCount: Int(byteCount))
        {
            return DescriptorChain(
                handle: ChainHandle(id: head), start: start, readableCount: writes ? 0 : 1,
                writableCount: writes ? 1 : 0,
                readableBytes: writes ? 0 : byteCount, writableBytes: writes ? byteCount : 0)
        }
        return try follow(ChainHandle(id: head), address, rest, into: &segments, translation: &translation)
    }

    /// Follows a chain of any shape from its first descriptor, which has been loaded as these two words.
    ///
    /// Mutating for its caller's sake, which would copy a queue that it lends for reading.
    @usableFromInline
    @inline(never)
    mutating func follow(
        _ chain: ChainHandle, _ first: UInt64, _ firstRest: UInt64, into segments: inout SegmentBuffer,
        translation: inout TranslationTable
    ) throws(VirtQueueError) -> DescriptorChain {
        let start = segments.count
        do throws(VirtQueueError) {
            var walk = ChainWalk(chain, start: start)
            var address = first
            var rest = firstRest
            var left = mask
            while true {
                if rest & SplitRingNumbers.indirectBit != 0 {
                    guard hasIndirect else { throw VirtQueueError(.invalidIndirectTable, chain: chain) }
                    try SplitIndirectTable.follow(
                        address, rest, in: &walk, into: &segments, translation: &translation)
                    break
                }
                try walk.append(
                    address: IOVirtualAddress(rawValue: address),
                    byteCount: UInt32(truncatingIfNeeded: rest),
                    writes: rest & SplitRingNumbers.writeBit != 0, into: &segments,
                    translation: &translation)
                if rest & SplitRingNumbers.nextBit == 0 { break }
                let index = UInt16(truncatingIfNeeded: rest >> 48)
                guard left != 0 else { throw VirtQueueError(.chainTooLong, chain: chain) }
                guard index <= mask else { throw VirtQueueError(.descriptorOutOfRange(index), chain: chain) }
                left &-= 1
                address = descriptors.load64(SplitRingNumbers.descriptorBytes &* Int(index))
                rest = descriptors.load64(SplitRingNumbers.descriptorBytes &* Int(index) &+ 8)
            }
            return walk.chain
        } catch {
            segments.discard(from: start)
            throw error
        }
    }

    /// Gives back the chain popped last: the next `pop` takes it again. Several go back newest first.
    ///
    /// Its segments are the caller's to drop. `chain` must be the last one popped and not given back, and not be
    /// completed: giving back one that is would let the driver see it twice.
    @inlinable
    public mutating func rewind(_ chain: ChainHandle) {
        precondition(next != completed, "no chain is in flight")
        next &-= 1
        if isBroken { limit = next }
    }

    /// Whether the driver has made chains available that are not yet popped; `false` in a broken queue.
    @inlinable
    public func hasAvailable() -> Bool {
        !isBroken && avail.load16Acquiring(SplitRingNumbers.indexOffset) != next
    }

    /// Reads the avail index; `false` where it shows nothing new.
    ///
    /// The driver owns as many chains as there are descriptors less those it has not got back, so an index
    /// further on than that is one no driver can have written.
    @usableFromInline
    @inline(never)
    mutating func refresh() throws(VirtQueueError) -> Bool {
        if let failure { throw failure }
        let index = avail.load16Acquiring(SplitRingNumbers.indexOffset)
        let fresh = index &- next
        if fresh == 0 { return false }
        guard quirks.takesAnyAvailIndex || Int(fresh) &+ Int(next &- published) <= size else {
            throw breakQueue(VirtQueueError(.availIndexJump(from: next, to: index)))
        }
        limit = index
        return true
    }

    /// Ends the queue for an avail entry that names no descriptor.
    ///
    /// Throws by itself: an inlined function with a `throw` of its own is called through its witness table where code of
    /// another module is generic over queues, specialised or not (Swift 6.3).
    @usableFromInline
    @inline(never)
    mutating func breakQueue(atHead head: UInt16) throws(VirtQueueError) -> Never {
        throw breakQueue(VirtQueueError(.descriptorOutOfRange(head)))
    }
}
