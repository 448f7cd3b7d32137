import CIOUring

// Cancellation is a request like any other: it takes a slot, is submitted and completes. What it cancels
// completes on its own, with ECANCELED or with what it had done, so whoever drains waits for those completions
// and not for the cancellation's.
extension IOUring {
    /// Cancels the requests that carry `target`.
    ///
    /// Completes with 0, or -ENOENT where nothing matched, or -EALREADY where it runs and cannot be stopped.
    @inlinable
    package mutating func cancel(_ target: UserData, userData: UserData = .ignored) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(ring) else { return false }
        unsafe io_uring_prep_cancel64(entry, target.rawValue, 0)
        unsafe entry.pointee.user_data = userData.rawValue
        return true
    }

    /// Cancels every request on `file`. Completes with the number cancelled.
    @inlinable
    package mutating func cancelAll(on file: RingFile, userData: UserData = .ignored) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(ring) else { return false }
        var flags = UInt32(IORING_ASYNC_CANCEL_ALL)
        if file.isFixed { flags |= UInt32(IORING_ASYNC_CANCEL_FD_FIXED) }
        unsafe io_uring_prep_cancel_fd(entry, file.value, flags)
        unsafe entry.pointee.user_data = userData.rawValue
        return true
    }

    /// Cancels every request in the ring. Completes with the number cancelled.
    @inlinable
    package mutating func cancelAll(userData: UserData = .ignored) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(ring) else { return false }
        let flags = UInt32(IORING_ASYNC_CANCEL_ALL) | UInt32(IORING_ASYNC_CANCEL_ANY)
        unsafe io_uring_prep_cancel64(entry, 0, Int32(flags))
        unsafe entry.pointee.user_data = userData.rawValue
        return true
    }
}
