internal import VirtioNet

/// Watches whether frames still move, and since when they do not.
struct ReturnWatch {
    private var moved: UInt64 = 0
    private var waitingSince: ContinuousClock.Instant
    private var lastLook: ContinuousClock.Instant
    /// When frames were last seen to have moved, or the first watch began.
    private(set) var lastMove: ContinuousClock.Instant

    /// Begins to watch at `instant`.
    init(at instant: ContinuousClock.Instant) {
        waitingSince = instant
        lastLook = instant
        lastMove = instant
    }

    /// How long there is between two looks at the most, in a process that runs.
    private static let longestGap = Duration.seconds(1)

    /// Looks at the account as it is at `instant`.
    mutating func look(at frames: FrameCounts, at instant: ContinuousClock.Instant) {
        look(at: frames.sent &+ frames.received &+ frames.abandoned, at: instant)
    }

    /// Looks at a number that is another one whenever frames have moved.
    mutating func look(at now: UInt64, at instant: ContinuousClock.Instant) {
        let gap = lastLook.duration(to: instant)
        lastLook = instant
        // The process was stopped, or its machine slept: no worker moved a frame meanwhile.
        if gap > Self.longestGap { waitingSince = min(instant, waitingSince.advanced(by: gap)) }
        guard now != moved else { return }
        moved = now
        lastMove = instant
        waitingSince = instant
    }

    /// Begins the wait anew at `instant`.
    mutating func restart(at instant: ContinuousClock.Instant) {
        waitingSince = instant
        lastLook = instant
    }

    /// Takes `time` off the wait: the device was stopped for so long, and no frame could move.
    mutating func discount(_ time: Duration) {
        waitingSince = waitingSince.advanced(by: time)
        // It is no time in which the process was stopped: taken off twice it would take the traffic's with it.
        lastLook = lastLook.advanced(by: time)
    }

    /// Whether nothing has moved for `patience` at `instant`.
    func isStill(for patience: Duration, at instant: ContinuousClock.Instant) -> Bool {
        waitingSince.duration(to: instant) >= patience
    }
}
