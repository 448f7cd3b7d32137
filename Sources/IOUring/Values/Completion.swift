import CIOUring
package import SystemPackage

/// The end of a request, or one event of a multishot request. A trivial copy: the ring's slot is free already.
package struct Completion: Equatable, Sendable {
    /// What the request was submitted with.
    package let userData: UserData
    /// Bytes moved or the poll mask, or a negated errno.
    package let result: Int32
    /// `IORING_CQE_F_*`.
    package let flags: UInt32

    @inlinable
    package init(userData: UserData, result: Int32, flags: UInt32) {
        self.userData = userData
        self.result = result
        self.flags = flags
    }

    /// Whether the request is still in flight and will complete again. A multishot request whose completion
    /// lacks this has ended, whatever its result, and must be armed anew.
    @inlinable package var hasMore: Bool { flags & UInt32(IORING_CQE_F_MORE) != 0 }

    /// The error, where there is one. `ECANCELED` is how a cancelled request ends.
    @inlinable package var error: Errno? { result < 0 ? Errno(rawValue: -result) : nil }

    /// The poll events of a poll's completion; empty on error.
    @inlinable package var events: PollEvents {
        PollEvents(rawValue: UInt32(truncatingIfNeeded: max(result, 0)))
    }
}
