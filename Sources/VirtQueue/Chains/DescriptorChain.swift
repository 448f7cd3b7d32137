/// A chain of descriptors that the device side has taken from the avail ring, translated.
///
/// Its segments stand in the ``SegmentBuffer`` it was popped into, the device-readable ones first. It owns
/// nothing: whoever popped it returns it with `complete(_:byteCount:)` or gives it back with `rewind(_:)`.
public struct DescriptorChain: BitwiseCopyable, Hashable, Sendable {
    /// What to complete, or to give back.
    public let handle: ChainHandle
    /// The index of the first device-readable segment in the segment buffer.
    public let readableStart: Int
    /// The number of device-readable segments; a buffer across IOTLB entries counts once per entry.
    public let readableCount: Int
    /// The number of device-writable segments, counted the same way.
    public let writableCount: Int
    /// The bytes the device may read.
    public let readableBytes: UInt32
    /// The bytes the device may write.
    public let writableBytes: UInt32

    /// The chain's name in its ring, see ``ChainHandle/id``.
    @inlinable public var id: UInt16 { handle.id }
    /// The index of the first device-writable segment in the segment buffer.
    @inlinable public var writableStart: Int { readableStart &+ readableCount }

    @inlinable
    init(
        handle: ChainHandle, start: Int, readableCount: Int, writableCount: Int, readableBytes: UInt32,
        writableBytes: UInt32
    ) {
        self.handle = handle
        self.readableStart = start
        self.readableCount = readableCount
        self.writableCount = writableCount
        self.readableBytes = readableBytes
        self.writableBytes = writableBytes
    }
}
