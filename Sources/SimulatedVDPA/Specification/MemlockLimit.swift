internal import LinuxHost

/// The limit of pinned memory that a simulated kernel applies, where it is not this process's RLIMIT_MEMLOCK.
public enum MemlockLimit: Hashable, Sendable {
    /// Any number of bytes.
    case unlimited
    /// This many bytes.
    case bytes(Int)

    /// The limit in whole pages.
    package var pages: Int {
        switch self {
        case .unlimited: .max
        case .bytes(let count): count / HostPage.byteCount
        }
    }
}

extension MemlockLimit: CustomStringConvertible {
    /// As the specification spells it.
    public var description: String {
        switch self {
        case .unlimited: "unlimited"
        case .bytes(let count): "\(count)"
        }
    }
}
