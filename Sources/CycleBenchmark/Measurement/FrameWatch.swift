internal import Glibc
package import GuestMemory

/// Sees frames arrive in a receive queue, to the microsecond, without the help of the guest's driver.
package struct FrameWatch: ~Copyable {
    private let index: UsedIndex
    /// How long to look.
    private let patience: Duration

    package init?(ring: IOVirtualAddress, in memory: PCMemoryLayout, patience: Duration) {
        guard let index = UsedIndex(ring: ring, in: memory) else { return nil }
        self.index = index
        self.patience = patience
    }

    /// How many frames the queue has had, modulo 65536.
    package var count: UInt16 { index.value }

    /// Looks until the queue has had another number of frames than `count`, and says when that was, in nanoseconds of
    /// CLOCK_MONOTONIC; `nil` where that does not happen in time.
    ///
    /// Yields the processor between two looks: device and driver need it, too.
    package func change(from count: UInt16) -> UInt64? {
        let start = PhaseTimer.now()
        let limit = UInt64(patience.components.seconds) * 1_000_000_000
        while true {
            let isChanged = index.value != count
            let now = PhaseTimer.now()
            if isChanged { return now }
            if now - start > limit { return nil }
            sched_yield()
        }
    }
}
