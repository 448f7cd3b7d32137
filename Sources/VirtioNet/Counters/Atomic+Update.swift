internal import Synchronization

/// Counters that one thread writes and others read. What has not changed is not stored: a pass in which nothing moved
/// leaves the cache lines with those who read them. For the thread that writes.
extension Atomic<UInt64> {
    /// Makes `value` what readers see.
    @inline(__always)
    borrowing func update(_ value: UInt64) {
        if load(ordering: .relaxed) != value { store(value, ordering: .relaxed) }
    }

    /// The same, after everything that was stored before.
    @inline(__always)
    borrowing func updateReleasing(_ value: UInt64) {
        if load(ordering: .relaxed) != value { store(value, ordering: .releasing) }
    }
}
