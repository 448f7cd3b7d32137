public import VhostVDPA
public import Virtio

/// Where a virtqueue stood when its device was stopped.
public struct VringState: Hashable, Sendable {
    /// Why there is no base to go on from.
    public enum Loss: Error, Hashable, Sendable {
        /// The device could not be suspended: it was live until its reset, and a position read from a live
        /// device is old when it arrives. Going on from it repeats chains or loses them.
        case notSuspended
        /// The device had asked for a reset (NEEDS_RESET): nothing that it says counts (virtio 1.2, 2.1.2).
        case deviceBroken
        /// The parent cannot say, as vp_vdpa cannot.
        case unsupported
        /// The parent failed to say.
        indirect case failed(VhostVDPAError)
    }

    /// Which queue.
    public let index: VringIndex
    /// Where the ring goes on, or why that is not known.
    public let position: Result<VringBase, Loss>

    /// Where the ring goes on; `nil` where the device did not say, and the queue starts again from empty rings and base
    /// zero, or where ``VhostVDPABackend/recoveredBase(of:)`` says.
    public var base: VringBase? { try? position.get() }

    /// Why there is no base, or `nil` where there is one.
    public var loss: Loss? {
        guard case .failure(let loss) = position else { return nil }
        return loss
    }

    init(index: VringIndex, base: VringBase) {
        self.index = index
        position = .success(base)
    }

    init(index: VringIndex, loss: Loss) {
        self.index = index
        position = .failure(loss)
    }
}
