extension SplitDriverQueue {
    /// Takes the next chain the device has returned; `nil` where there is none. O(1).
    ///
    /// - Throws: ``VirtQueueError/Code/invalidUsedElement``, the queue broken: the used index passed what is
    ///   published, or the element names no chain in flight, or more bytes than it may have written.
    @inlinable
    @inline(__always)
    public mutating func reap() throws(VirtQueueError) -> UsedChain? {
        if next == limit {
            guard try refresh() else { return nil }
        }
        let offset = RingFormat.elementsOffset &+ RingFormat.usedElementBytes &* Int(next & mask)
        let id = used.load32(offset)
        let byteCount = used.load32(offset &+ 4)
        guard id <= UInt32(mask) else { throw breakQueue() }
        let slot = unsafe slots + Int(id)
        let count = unsafe slot.pointee.count
        guard count != 0, unsafe byteCount <= slot.pointee.writableBytes else { throw breakQueue() }
        unsafe slot.pointee.count = 0
        unsafe slots[Int(slot.pointee.last)].next = freeHead
        freeHead = UInt16(truncatingIfNeeded: id)
        free &+= Int(count)
        next &+= 1
        return UsedChain(token: unsafe slot.pointee.token, byteCount: byteCount)
    }

    /// Whether the device has returned chains that are not yet reaped; `false` in a broken queue.
    @inlinable
    public func hasUsed() -> Bool {
        !isBroken && used.load16Acquiring(RingFormat.indexOffset) != next
    }

    /// Reads the used index; `false` where it shows nothing new.
    @usableFromInline
    @inline(never)
    mutating func refresh() throws(VirtQueueError) -> Bool {
        if let failure { throw failure }
        let index = used.load16Acquiring(RingFormat.indexOffset)
        if index == next { return false }
        guard index &- next <= published &- next else { throw breakQueue() }
        limit = index
        return true
    }
}
