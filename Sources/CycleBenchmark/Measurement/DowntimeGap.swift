internal import EmulatedMachine

/// Frames that arrive in the guest, as somebody sees them.
protocol FrameArrivals: ~Copyable {
    /// How many there have been, modulo 65536.
    var count: UInt16 { get }

    /// Waits until there has been another number of them than `count`, and says when that was, in nanoseconds of
    /// CLOCK_MONOTONIC; `nil` where that does not happen in time.
    func change(from count: UInt16) -> UInt64?
}

/// How long no frame came: from the last one seen to arrive before a stop to the first one after the start.
///
/// The stop begins when a frame arrives, so that the time is that of one gap between two frames. Frames that arrive
/// between that one and the device's SUSPEND are counted once the device is stopped: only one that comes later ends
/// the gap. They make it too long by at most the time of that call; it is never too short.
struct DowntimeGap: Hashable {
    let nanoseconds: UInt64
    let timing: CycleTiming

    /// Why there is no gap.
    enum Missing: String, Error, Hashable {
        case before = "no frame came under traffic"
        case after = "no frame came under traffic after a stop and start"
    }

    /// One stop and start under traffic.
    static func measure<Arrivals: FrameArrivals & ~Copyable>(
        _ arrivals: borrowing Arrivals, stop: () throws(MachineError) -> Void,
        start: () throws(MachineError) -> CycleTiming
    ) throws(MachineError) -> Result<DowntimeGap, Missing> {
        guard let before = arrivals.change(from: arrivals.count) else { return .failure(.before) }
        try stop()
        let whileStopped = arrivals.count
        let timing = try start()
        guard let after = arrivals.change(from: whileStopped) else { return .failure(.after) }
        return .success(DowntimeGap(nanoseconds: after - before, timing: timing))
    }
}
