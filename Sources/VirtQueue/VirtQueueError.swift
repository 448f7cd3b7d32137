public import GuestMemory

/// What a guest did wrong on a ring, or a device access its IOTLB refused.
public struct VirtQueueError: Error, Hashable, Sendable {
    /// What was wrong.
    public enum Code: Hashable, Sendable {
        /// The queue size is zero, above 32768 or not a power of two.
        case invalidSize(UInt16)
        /// The features choose a format that no queue here has: RING_PACKED.
        case unsupportedFormat
        /// A ring area is not aligned as virtio 1.2 section 2.7 demands.
        case misalignedRing(IOVirtualAddress)
        /// The avail index moved by more than the queue size, or backwards.
        case availIndexJump(from: UInt16, to: UInt16)
        /// A descriptor index is not below the table's size.
        case descriptorOutOfRange(UInt16)
        /// A chain has more descriptors than its table: it must loop.
        case chainTooLong
        /// A descriptor of length zero.
        case emptyDescriptor
        /// A device-readable descriptor after a device-writable one.
        case readableAfterWritable
        /// An indirect table that is empty, not a multiple of 16 bytes, too long, nested or not negotiated.
        case invalidIndirectTable
        /// The chain holds more bytes than 2³²−1.
        case chainTooLarge
        /// More segments than the buffer for them has room for.
        case tooManySegments
        /// The used index, or an element of the used ring, is one the device cannot have produced.
        case invalidUsedElement
        /// An address that the IOTLB does not permit.
        case fault(TranslationFault)
    }

    /// What was wrong.
    public let code: Code
    /// The chain at fault, where it is known: it can be returned with length zero, and the queue goes on.
    ///
    /// Without one the ring itself is unusable and the queue is broken.
    public let chain: ChainHandle?

    /// Makes an error of `chain`, or of the ring.
    public init(_ code: Code, chain: ChainHandle? = nil) {
        self.code = code
        self.chain = chain
    }
}
