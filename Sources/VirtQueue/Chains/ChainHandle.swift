/// What a chain is called in its ring, between the `pop` that took it and the `complete` or `rewind` that ends it.
public struct ChainHandle: BitwiseCopyable, Hashable, Sendable {
    /// The chain's name in the ring: a split ring's is the index of its first descriptor.
    public let id: UInt16
    /// The ring entries the chain takes up: one in a split ring's avail ring, whatever its length.
    public let slots: UInt16

    /// Names a chain.
    @inlinable
    public init(id: UInt16, slots: UInt16 = 1) {
        self.id = id
        self.slots = slots
    }
}
