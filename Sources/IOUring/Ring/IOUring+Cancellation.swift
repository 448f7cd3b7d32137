public import CIOUring

// Cancellation is a request like any other: it takes a slot, is submitted and completes. What it cancels
// completes on its own, with ECANCELED or with what it had done, so whoever drains waits for those completions
// and not for the cancellation's.
extension IOUring {
    /// Cancels the requests that carry `target`.
    ///
    /// Completes with 0, or -ENOENT where nothing matched, or -EALREADY where it runs and cannot be stopped.
    @inlinable
    public mutating func cancel(_ target: UserData, userData: UserData = .ignored) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(ring) else { return false }
        unsafe io_uring_prep_cancel64(entry, target.rawValue, 0)
        unsafe entry.pointee.user_data = userData.rawValue
        return true
    }
}
