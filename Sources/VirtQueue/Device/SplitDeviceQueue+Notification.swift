extension SplitDeviceQueue {
    /// Asks the driver not to kick: the device looks at the ring by itself for a while.
    ///
    /// A hint: kicks already on their way, and one in 65536 with EVENT_IDX, still come.
    @inlinable
    public mutating func suppressKicks() {
        if hasEventIndex {
            // The entry before the next one is past: the driver's index does not cross it again before it wraps.
            used.store16(next &- 1, at: RingFormat.availEventOffset(size: size))
        } else {
            used.store16(RingFormat.noNotify, at: 0)
        }
    }

    /// Asks the driver to kick for the next chain; `true` where one is already there and no kick will come for it.
    ///
    /// On `true`, pop again before waiting. `false` in a broken queue.
    @inlinable
    public mutating func requestKicks() -> Bool {
        if hasEventIndex {
            used.store16(next, at: RingFormat.availEventOffset(size: size))
        } else {
            used.store16(0, at: 0)
        }
        RingMemory.fullFence()
        return hasAvailable()
    }
}
