public import CIOUring

extension IOUring {
    /// Completions that are ready in the ring's memory; no system call.
    @inlinable public var readyCompletions: Int { unsafe Int(ciouring_completions_ready(ring)) }

    /// Takes the oldest completion, or `nil`; no system call. Its slot is free at once.
    ///
    /// For handlers that queue further requests: the ring is not borrowed while the completion is handled.
    @inlinable
    public mutating func nextCompletion() -> Completion? {
        guard let entry = unsafe ciouring_oldest_completion(ring) else { return nil }
        let completion = unsafe Completion(
            userData: UserData(rawValue: entry.pointee.user_data), result: entry.pointee.res,
            flags: entry.pointee.flags)
        unsafe io_uring_cq_advance(ring, 1)
        return completion
    }

    /// Hands at most `limit` ready completions to `body`, oldest first; no system call, no allocation.
    ///
    /// `body` cannot touch the ring; where it must, take completions with ``nextCompletion()``.
    ///
    /// - Returns: how many there were.
    @inlinable
    @discardableResult
    public mutating func forEachCompletion<E: Error>(
        limit: Int = .max, _ body: (Completion) throws(E) -> Void
    ) throws(E) -> Int {
        var count = 0
        while count < limit, let completion = nextCompletion() {
            count += 1
            try body(completion)
        }
        return count
    }

    /// Whether the kernel has work that waits for this thread to enter it: completions of a `deferredTaskRun`
    /// ring, or some that overflowed. A thread that spins looks here and calls ``submitAndPoll()``.
    @inlinable public var hasPendingWork: Bool {
        unsafe ciouring_flags(ring) & UInt32(IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW) != 0
    }

    /// Whether completions did not fit the queue and wait in the kernel's own list, in order, for a call that
    /// enters it. Nothing is lost, but a multishot request ends when its completion overflows: it comes without
    /// ``Completion/hasMore``.
    @inlinable public var hasOverflowed: Bool {
        unsafe ciouring_flags(ring) & UInt32(IORING_SQ_CQ_OVERFLOW) != 0
    }

    /// Completions lost for ever because the kernel had no memory to keep them. Anything but 0 means that what is
    /// in flight is no longer known: the ring must be given up.
    @inlinable public var lostCompletions: Int { unsafe Int(ciouring_dropped_completions(ring)) }
}
