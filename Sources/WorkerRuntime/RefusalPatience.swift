internal import IOUring

/// How long a loop tries again what the kernel refuses for the moment.
///
/// Whoever is refused waits a millisecond before the next try, so that each limit is a time as well.
struct RefusalPatience {
    /// How often in a row a call may be refused for the moment.
    static var refusalLimit: Int { 300 }
    /// How often in a row a call may be interrupted a thousand times (``IOUringError/Code/interrupted``), less than
    /// ``interruptionPause`` between two: so many signals nobody sends.
    static var interruptionLimit: Int { 8 }
    private static var interruptionPause: Duration { .seconds(1) }
    /// How many polls in a row may end at once with an error, less than ``pollPause`` between two.
    static var failedPollLimit: Int { 64 }
    private static var pollPause: Duration { .seconds(1) }

    /// Calls that were refused since the last that was not.
    private var refusals = 0
    /// Calls that were interrupted since the last that was not, and when the latest of them was.
    private var interruptions = 0
    private var lastInterruption: ContinuousClock.Instant?
    /// Polls that failed since the last that did not, and when the latest of them did.
    private var failedPolls = 0
    private var lastFailedPoll: ContinuousClock.Instant?

    /// Notes a call that was not refused.
    mutating func callSucceeded() {
        refusals = 0
        interruptions = 0
    }

    /// Notes a call that was refused with `error` at `now`; whether it is to be given up.
    ///
    /// An interrupted call is not given up where signals come that slowly that somebody may send them, as a profiler
    /// does.
    mutating func isOver(_ error: IOUringError, at now: ContinuousClock.Instant = .now) -> Bool {
        refusals += 1
        guard error.code == .interrupted else { return refusals > Self.refusalLimit }
        if let lastInterruption, lastInterruption.duration(to: now) > Self.interruptionPause {
            interruptions = 0
        }
        lastInterruption = now
        interruptions += 1
        return interruptions > Self.interruptionLimit
    }

    /// Notes a poll that ended as it should.
    mutating func pollSucceeded() { failedPolls = 0 }

    /// Notes a poll that ended with an error at `now`; whether it is to be given up.
    mutating func isOverForPolls(at now: ContinuousClock.Instant = .now) -> Bool {
        if let lastFailedPoll, lastFailedPoll.duration(to: now) > Self.pollPause { failedPolls = 0 }
        lastFailedPoll = now
        failedPolls += 1
        return failedPolls > Self.failedPollLimit
    }
}
