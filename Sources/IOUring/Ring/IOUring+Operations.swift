public import CIOUring
public import SystemPackage

// Requests. Each takes one slot of the submission queue and answers `false`, with nothing queued, where it is
// full. Memory named by a request belongs to the kernel from the submit until the completion; an array of
// `iovec` only until the submit returns (IORING_FEAT_SUBMIT_STABLE). A file is borrowed: whoever owns the descriptor
// keeps it open until the submit; a request in flight holds its own reference.
//
// A transfer that `waits` stays in flight until there is data or room, on a file that is O_NONBLOCK as well: for a
// file that can be polled io_uring does not look at that flag (io_uring/rw.c). One that does not wait completes at
// once, with EAGAIN where it must.
extension IOUring {
    /// Waits for `events` on `file`; a multishot poll completes on every wake until it is cancelled or completes
    /// without ``Completion/hasMore``.
    ///
    /// Edge-triggered after the first: a file that stays ready without being signalled again does not complete
    /// again, and wakes that come close together share one completion.
    @inlinable
    public mutating func pollAdd(
        _ file: FileDescriptor, _ events: PollEvents, multishot: Bool, userData: UserData
    ) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(ring) else { return false }
        if multishot {
            unsafe io_uring_prep_poll_multishot(entry, file.rawValue, events.rawValue)
        } else {
            unsafe io_uring_prep_poll_add(entry, file.rawValue, events.rawValue)
        }
        unsafe entry.pointee.user_data = userData.rawValue
        return true
    }

    /// readv(2) into `count` vectors. `offset` is ignored by files without a position; `.max` is the current one.
    @inlinable
    public mutating func readv(
        _ file: FileDescriptor, into vectors: UnsafePointer<iovec>, count: Int, offset: UInt64 = .max,
        waits: Bool = true, userData: UserData
    ) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(ring) else { return false }
        unsafe io_uring_prep_readv(entry, file.rawValue, vectors, UInt32(count), offset)
        if !waits { unsafe entry.pointee.rw_flags = ciouring_rwf_nowait }
        unsafe entry.pointee.user_data = userData.rawValue
        return true
    }

    /// writev(2) of `count` vectors. `offset` as in `readv`.
    @inlinable
    public mutating func writev(
        _ file: FileDescriptor, from vectors: UnsafePointer<iovec>, count: Int, offset: UInt64 = .max,
        waits: Bool = true, userData: UserData
    ) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(ring) else { return false }
        unsafe io_uring_prep_writev(entry, file.rawValue, vectors, UInt32(count), offset)
        if !waits { unsafe entry.pointee.rw_flags = ciouring_rwf_nowait }
        unsafe entry.pointee.user_data = userData.rawValue
        return true
    }

    /// read(2) into `buffer`. `offset` as in `readv`.
    @inlinable
    public mutating func read(
        _ file: FileDescriptor, into buffer: UnsafeMutableRawBufferPointer, offset: UInt64 = .max,
        waits: Bool = true, userData: UserData
    ) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(ring) else { return false }
        unsafe io_uring_prep_read(entry, file.rawValue, buffer.baseAddress, UInt32(buffer.count), offset)
        if !waits { unsafe entry.pointee.rw_flags = ciouring_rwf_nowait }
        unsafe entry.pointee.user_data = userData.rawValue
        return true
    }

    /// write(2) of `buffer`. `offset` as in `readv`. Never for an eventfd somebody else created: where it blocks,
    /// the request goes to a kernel thread at a hundred times the cost; signal it with `EventFD` instead.
    @inlinable
    public mutating func write(
        _ file: FileDescriptor, from buffer: UnsafeRawBufferPointer, offset: UInt64 = .max,
        waits: Bool = true,
        userData: UserData
    ) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(ring) else { return false }
        unsafe io_uring_prep_write(entry, file.rawValue, buffer.baseAddress, UInt32(buffer.count), offset)
        if !waits { unsafe entry.pointee.rw_flags = ciouring_rwf_nowait }
        unsafe entry.pointee.user_data = userData.rawValue
        return true
    }

    /// Does nothing and completes with 0.
    @inlinable
    public mutating func nop(userData: UserData) -> Bool {
        guard let entry = unsafe io_uring_get_sqe(ring) else { return false }
        unsafe io_uring_prep_nop(entry)
        unsafe entry.pointee.user_data = userData.rawValue
        return true
    }
}
