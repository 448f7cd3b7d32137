public import Virtio

/// Where a ring goes on, once nothing is in flight: all that a stop has to save of a queue. A plain value.
///
/// vhost carries it as a ``VringBase`` (GET_VRING_BASE, SET_VRING_BASE), whose bits only the ring's format explains.
public enum QueueState: Hashable, Sendable {
    /// A split ring whose device takes the avail entry `nextAvail` next. Its used index is the same.
    case split(nextAvail: UInt16)

    /// The state of a ring that has never run.
    public static func initial(_ format: RingFormat) -> QueueState {
        switch format {
        case .split: .split(nextAvail: 0)
        }
    }

    /// What `base` says of a ring of `format`; `nil` where it says nothing.
    ///
    /// A split ring's is an index of 16 bits: a larger number is the EINVAL of SET_VRING_BASE (drivers/vhost/vhost.c).
    public init?(_ base: VringBase, format: RingFormat) {
        switch format {
        case .split:
            guard let nextAvail = UInt16(exactly: base.rawValue) else { return nil }
            self = .split(nextAvail: nextAvail)
        }
    }

    /// The state as GET_VRING_BASE answers it.
    public var base: VringBase {
        switch self {
        case .split(let nextAvail): VringBase(availIndex: nextAvail)
        }
    }
}
