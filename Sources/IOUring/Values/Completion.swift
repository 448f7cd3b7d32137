public import CIOUring
public import SystemPackage

/// The end of a request, or one event of a multishot request. A trivial copy: the ring's slot is free already.
public struct Completion: Equatable, Sendable {
    /// What the request was submitted with.
    public let userData: UserData
    /// Bytes moved or the poll mask, or a negated errno.
    public let result: Int32
    /// `IORING_CQE_F_*`.
    public let flags: UInt32

    /// Makes a completion of its parts.
    @inlinable
    public init(userData: UserData, result: Int32, flags: UInt32) {
        self.userData = userData
        self.result = result
        self.flags = flags
    }

    /// Whether the request is still in flight and will complete again. A multishot request whose completion
    /// lacks this has ended, whatever its result, and must be armed anew.
    @inlinable public var hasMore: Bool { flags & UInt32(IORING_CQE_F_MORE) != 0 }

    /// The error, where there is one. `ECANCELED` is how a cancelled request ends.
    @inlinable public var error: Errno? { result < 0 ? Errno(rawValue: -result) : nil }

    /// The poll events of a poll's completion; empty on error.
    @inlinable public var events: PollEvents {
        PollEvents(rawValue: UInt32(truncatingIfNeeded: max(result, 0)))
    }
}
