public import GuestMemory

/// How the three areas of a split ring lie in one block of memory.
///
/// The areas follow each other, each on its own cache line: the avail ring is the driver's to write and the used
/// ring the device's, and a shared line would travel between them with every index.
public struct SplitRingGeometry: Hashable, Sendable {
    /// The number of descriptors.
    public let size: UInt16
    /// Where the avail ring starts, in bytes from the block's start; the descriptor table starts at 0.
    public let availRingOffset: Int
    /// Where the used ring starts, in bytes from the block's start.
    public let usedRingOffset: Int
    /// The bytes of the whole block.
    public let byteCount: Int

    /// The alignment the block needs, in bytes: a cache line.
    public static let alignment = 64

    /// Lays out a ring of `size` descriptors: a power of two from 1 to 32768.
    ///
    /// - Throws: ``VirtQueueError/Code/invalidSize(_:)``.
    public init(size: UInt16) throws(VirtQueueError) {
        guard SplitRingNumbers.isValid(size: size) else { throw VirtQueueError(.invalidSize(size)) }
        self.size = size
        availRingOffset = Self.aligned(Self.descriptorTableBytes(size: size))
        usedRingOffset = Self.aligned(availRingOffset + Self.availRingBytes(size: size, eventIndex: true))
        byteCount = Self.aligned(usedRingOffset + Self.usedRingBytes(size: size, eventIndex: true))
    }

    /// The bytes of the descriptor table.
    public var descriptorTableBytes: Int { Self.descriptorTableBytes(size: size) }
    /// The bytes of the avail ring, with `used_event`.
    public var availRingBytes: Int { Self.availRingBytes(size: size, eventIndex: true) }
    /// The bytes of the used ring, with `avail_event`.
    public var usedRingBytes: Int { Self.usedRingBytes(size: size, eventIndex: true) }

    /// The ring's addresses where the block starts at `address`, which must leave room for the block.
    public func layout(at address: IOVirtualAddress) -> SplitQueueLayout {
        guard
            address.advanced(by: ByteCount(byteCount)) != nil,
            let avail = address.advanced(by: ByteCount(availRingOffset)),
            let used = address.advanced(by: ByteCount(usedRingOffset))
        else { preconditionFailure("a ring of \(byteCount) bytes at \(address) wraps the address space") }
        return SplitQueueLayout(size: size, descriptorTable: address, availRing: avail, usedRing: used)
    }

    static func descriptorTableBytes(size: UInt16) -> Int { SplitRingNumbers.descriptorBytes * Int(size) }

    /// Without EVENT_IDX the field behind the elements is not accessed and need not be mapped.
    static func availRingBytes(size: UInt16, eventIndex: Bool) -> Int {
        SplitRingNumbers.usedEventOffset(size: Int(size)) + (eventIndex ? 2 : 0)
    }

    static func usedRingBytes(size: UInt16, eventIndex: Bool) -> Int {
        SplitRingNumbers.availEventOffset(size: Int(size)) + (eventIndex ? 2 : 0)
    }

    private static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) & ~(alignment - 1) }
}
