public import Virtio

/// How a virtqueue lies in memory (virtio 1.2, section 2.6). The two sides agree on it by their features.
public enum RingFormat: Hashable, Sendable, CaseIterable {
    /// The split virtqueue (section 2.7): a descriptor table, an avail ring, a used ring.
    case split

    /// The format that a driver's accepted features choose: split, the only one that is offered here.
    public init(_ features: VirtioFeatures) { self = .split }
}
