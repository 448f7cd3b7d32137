public import CIOUring
import Glibc
import SystemPackage

/// How a wait ended.
public enum WaitOutcome: Equatable, Sendable {
    /// As many completions as asked for are ready.
    case ready
    /// The time is over; fewer are ready, perhaps none.
    case timedOut
}

extension IOUring {
    /// Requests that can be queued before the next submit.
    @inlinable public var availableSubmissions: Int { unsafe Int(io_uring_sq_space_left(ring)) }

    /// Requests that are queued and not submitted.
    @inlinable public var queuedSubmissions: Int { unsafe Int(io_uring_sq_ready(ring)) }

    /// Hands every queued request to the kernel: one system call, or none where nothing is queued.
    ///
    /// A request that fails at once completes with its error; only the call's own failure throws. Completions of
    /// a `deferredTaskRun` ring appear in a waiting call; `submit` alone promises none.
    ///
    /// - Returns: the number of requests submitted.
    @discardableResult
    public mutating func submit() throws(IOUringError) -> Int {
        var interruptions = 0
        while true {
            let answer = unsafe io_uring_submit(ring)
            if answer >= 0 { return Int(answer) }
            try Self.check(answer, &interruptions)
        }
    }

    /// How often one call is made again because a signal interrupted it.
    private static var interruptionLimit: Int { 1000 }

    /// Throws what a refused call means, unless a signal interrupted it and it is to be made again.
    private static func check(_ answer: Int32, _ interruptions: inout Int) throws(IOUringError) {
        interruptions += 1
        guard answer == -EINTR, interruptions < interruptionLimit else {
            throw IOUringError.enter(Errno(rawValue: -answer))
        }
    }

    /// Submits, and lets the kernel run what waits for this thread, without waiting: one system call.
    public mutating func submitAndPoll() throws(IOUringError) {
        var interruptions = 0
        while true {
            let answer = unsafe io_uring_submit_and_get_events(ring)
            if answer >= 0 { return }
            try Self.check(answer, &interruptions)
        }
    }

    /// Submits and waits until `count` completions are ready or `timeout` is over: one system call.
    ///
    /// Signals that interrupt the wait do not end it and do not lengthen it; a thousand of them in a row do
    /// (``IOUringError/Code/interrupted``), so that whoever waits can look at what else there is.
    ///
    /// - Parameters:
    ///   - count: at most ``completionCapacity``; 0 is ``submitAndPoll()``.
    ///   - timeout: `nil` waits for ever.
    @discardableResult
    public mutating func submitAndWait(
        count: Int, timeout: Duration? = nil
    ) throws(IOUringError) -> WaitOutcome {
        if count == 0 {
            try submitAndPoll()
            return .ready
        }
        guard let timeout else {
            try waitForever(UInt32(count))
            return .ready
        }
        let clock = ContinuousClock()
        let deadline = clock.now.advanced(by: timeout)
        var remaining = timeout
        var interruptions = 0
        while true {
            let parts = max(remaining, .zero).components
            var limit = __kernel_timespec(tv_sec: parts.seconds, tv_nsec: parts.attoseconds / 1_000_000_000)
            var first: UnsafeMutablePointer<io_uring_cqe>?
            let answer = unsafe io_uring_submit_and_wait_timeout(ring, &first, UInt32(count), &limit, nil)
            if unsafe ciouring_completions_ready(ring) >= count { return .ready }
            if answer == -ETIME { return .timedOut }
            if answer < 0 { try Self.check(answer, &interruptions) }
            remaining = deadline - clock.now
            if remaining <= .zero { return .timedOut }
        }
    }

    private mutating func waitForever(_ count: UInt32) throws(IOUringError) {
        // A wait that also submitted may come back early with a signal, so what is ready decides.
        var interruptions = 0
        repeat {
            let answer = unsafe io_uring_submit_and_wait(ring, count)
            if answer < 0 { try Self.check(answer, &interruptions) }
        } while unsafe ciouring_completions_ready(ring) < count
    }
}
