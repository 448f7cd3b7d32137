extension SplitDeviceQueue {
    /// Returns a chain to the driver: `byteCount` bytes were written to its device-writable segments.
    ///
    /// Chains may be completed in any order. The driver sees nothing before ``publish()``. There must be a
    /// chain in flight.
    @inlinable
    public mutating func complete(head: UInt16, byteCount: UInt32) {
        precondition(next != completed, "no chain is in flight")
        let slot = Int(completed & mask)
        let offset = RingFormat.elementsOffset &+ RingFormat.usedElementBytes &* slot
        used.store32(UInt32(head), at: offset)
        used.store32(byteCount, at: offset &+ 4)
        completed &+= 1
    }

    /// Shows the driver all completed chains at once; `true` where it wants a call for them.
    ///
    /// `false` where there was none. The fence in it costs some 20 cycles: publish once per batch.
    @inlinable
    public mutating func publish() -> Bool {
        let old = published
        let new = completed
        if new == old { return false }
        used.store16Releasing(new, at: RingFormat.indexOffset)
        published = new
        RingMemory.fullFence()
        guard hasEventIndex else { return avail.load16(0) & RingFormat.noInterrupt == 0 }
        let event = avail.load16(RingFormat.usedEventOffset(size: size))
        let wants = !hasSignalled || RingFormat.needsEvent(event, new: new, old: old)
        hasSignalled = true
        return wants
    }
}
