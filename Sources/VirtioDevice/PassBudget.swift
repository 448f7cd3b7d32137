/// How much one pass over a ring may still do before the worker looks at its commands.
///
/// A pass is limited by frames and by bytes, as in drivers/vhost/net.c (VHOST_NET_PKT_WEIGHT, VHOST_NET_WEIGHT): a
/// guest that offers the longest frames would otherwise hold up a stop for as long as it takes to copy a ring of them
/// (CVE-2019-3900). Chains that hold no frame and chains that break a rule count like the others, and every segment of
/// a chain for what it takes to look at.
///
/// Public, in a target that is no product: what is charged for every chain has to be inlined in the worker's module.
public struct PassBudget: Sendable {
    /// The most bytes of a pass; the frame that reaches it is the last one.
    @inlinable public static var byteLimit: Int { 0x80000 }
    @inlinable static var bytesPerSegment: Int { 16 }

    @usableFromInline var chains: Int
    @usableFromInline var bytes: Int

    /// A pass of `chains` at the most.
    @inlinable
    public init(chains: Int) {
        self.chains = chains
        bytes = Self.byteLimit
    }

    /// Whether another chain may be looked at.
    @inlinable public var hasRoom: Bool { chains > 0 && bytes > 0 }

    /// Takes off a chain of so many segments, of which so many bytes are moved.
    @inlinable
    public mutating func take(bytes: UInt32, segments: Int) {
        chains &-= 1
        self.bytes &-= Int(bytes) &+ segments &* Self.bytesPerSegment
    }
}
