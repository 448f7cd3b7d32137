public import Virtio

/// Where a ring goes on, once nothing is in flight: all that a stop has to save of a queue. A plain value.
///
/// vhost carries it as a `VringBase` (GET_VRING_BASE, SET_VRING_BASE), whose bits only the ring's format explains.
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

    /// Where a split ring goes on whose device is gone without a word: at the chain after the last one that it returned.
    ///
    /// Right of a device that returns chains in the order it takes them: what it had taken and not returned is taken
    /// again. A device that returns them in another order loses one chain for good for each that it returned too early,
    /// and may take others twice. QEMU goes on the same way (`virtio_queue_split_restore_last_avail_idx`). Of a packed
    /// ring nothing in memory says it.
    public static func recovered(from usedIndex: borrowing UsedIndex) -> QueueState {
        .split(nextAvail: usedIndex.value)
    }

    /// The state as GET_VRING_BASE answers it.
    public var base: VringBase {
        switch self {
        case .split(let nextAvail): VringBase(availIndex: nextAvail)
        }
    }
}
