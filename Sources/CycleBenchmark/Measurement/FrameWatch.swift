internal import Glibc
internal import GuestMemory
internal import VirtQueue

/// Sees frames arrive in a receive queue, to the microsecond, without the help of the guest's driver.
struct FrameWatch: FrameArrivals, ~Copyable {
    private let index: UsedIndex
    /// How long to look.
    private let patience: Duration
    /// Ends a look early.
    private let end: EndWatch

    init?(_ layout: RingLayout, in memory: PCMemoryLayout, patience: Duration, end: EndWatch) {
        guard let index = UsedIndex(of: layout, in: memory.addressSpace.view) else { return nil }
        self.index = index
        self.patience = patience
        self.end = end
    }

    /// How many frames the queue has had, modulo 65536.
    var count: UInt16 { index.value }

    /// Looks until the queue has had another number of frames than `count`, and says when that was, in nanoseconds of
    /// CLOCK_MONOTONIC; `nil` where that does not happen in time, or somebody asks to end.
    ///
    /// Yields the processor between two looks, and sleeps between them once 2 ms are over: device and driver need the
    /// processor, too, and of a time so long 50 µs are little.
    func change(from count: UInt16) -> UInt64? {
        let start = PhaseTimer.now()
        let limit = UInt64(patience / .nanoseconds(1))
        while true {
            let isChanged = index.value != count
            let now = PhaseTimer.now()
            if isChanged { return now }
            if now - start > limit { return nil }
            guard now - start >= 2_000_000 else {
                sched_yield()
                continue
            }
            if end.isInterrupted { return nil }
            usleep(50)
        }
    }
}
