extension SplitDriverQueue {
    /// Shows the device all added chains at once; `true` where it wants a kick for them.
    ///
    /// `false` where there was none. The fence in it costs some 20 cycles: publish once per batch.
    @inlinable
    public mutating func publish() -> Bool {
        let old = published
        let new = added
        if new == old { return false }
        avail.store16Releasing(new, at: RingFormat.indexOffset)
        published = new
        RingMemory.fullFence()
        guard hasEventIndex else { return used.load16(0) & RingFormat.noNotify == 0 }
        let event = used.load16(RingFormat.availEventOffset(size: size))
        return RingFormat.needsEvent(event, new: new, old: old)
    }

    /// Asks the device not to call: the driver looks at the ring by itself for a while.
    ///
    /// A hint: calls already on their way, and one in 65536 with EVENT_IDX, still come.
    @inlinable
    public mutating func suppressCalls() {
        if hasEventIndex {
            // The element before the next one is past: the device's index does not cross it before it wraps.
            avail.store16(next &- 1, at: RingFormat.usedEventOffset(size: size))
        } else {
            avail.store16(RingFormat.noInterrupt, at: 0)
        }
    }

    /// Asks the device to call once it has returned `chains` more; `true` where it already has and no call will come.
    ///
    /// On `true`, reap again before waiting. More than one chain only takes effect with EVENT_IDX; without it
    /// the device calls for the first. `chains` must be from 1 to the queue's size and not above what is in
    /// flight, or the call never comes. `false` in a broken queue.
    @inlinable
    public mutating func requestCalls(after chains: Int = 1) -> Bool {
        precondition(chains >= 1 && chains <= size, "a call after no or too many chains")
        let distance = UInt16(truncatingIfNeeded: chains &- 1)
        if hasEventIndex {
            avail.store16(next &+ distance, at: RingFormat.usedEventOffset(size: size))
        } else {
            avail.store16(0, at: 0)
        }
        RingMemory.fullFence()
        if isBroken { return false }
        return used.load16Acquiring(RingFormat.indexOffset) &- next > (hasEventIndex ? distance : 0)
    }
}
