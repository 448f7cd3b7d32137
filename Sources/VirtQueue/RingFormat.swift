public import Virtio

/// How a virtqueue lies in memory (virtio 1.2, section 2.6). The two sides agree on it by their features.
///
/// A new format is a case here and a type for each side; the compiler then asks for it in ``QueueState``,
/// ``RingGeometry``, ``AnyDeviceQueue`` and ``AnyDriverQueue``. Code that moves data is generic over the sides' types and
/// entered by `visit` once a batch, so that it holds no question about the format.
public enum RingFormat: Hashable, Sendable, CaseIterable {
    /// The split virtqueue (section 2.7): a descriptor table, an avail ring, a used ring.
    case split

    /// The format that a driver's accepted features choose: split, the only one that is offered here. The queues of any
    /// format refuse features that choose another.
    public init(_ features: VirtioFeatures) { self = .split }

    /// The same, and what a queue that is made with `features` does about them.
    ///
    /// - Throws: ``VirtQueueError/Code/unsupportedFormat`` where they have RING_PACKED.
    static func checked(_ features: VirtioFeatures) throws(VirtQueueError) -> RingFormat {
        guard !features.contains(.packedRing) else { throw VirtQueueError(.unsupportedFormat) }
        return RingFormat(features)
    }

    /// Has `visitor` work on device queues of this format; gives its answer.
    @inlinable
    public func visit<Visitor: DeviceQueueVisitor & ~Copyable>(_ visitor: inout Visitor) -> Bool {
        switch self {
        case .split: visitor.visit(SplitDeviceQueue.self)
        }
    }

    /// Has `visitor` work on driver queues of this format; gives its answer.
    @inlinable
    public func visit<Visitor: DriverQueueVisitor & ~Copyable>(_ visitor: inout Visitor) -> Bool {
        switch self {
        case .split: visitor.visit(SplitDriverQueue.self)
        }
    }
}
