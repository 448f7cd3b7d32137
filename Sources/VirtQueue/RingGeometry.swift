public import GuestMemory

/// How the three areas of a ring lie in one block of memory.
///
/// The areas follow each other, each on its own cache line: the driver area is the driver's to write and the device
/// area the device's, and a shared line would travel between them with every index.
public struct RingGeometry: Hashable, Sendable {
    /// The number of descriptors.
    public let size: UInt16
    /// Where the driver area starts, in bytes from the block's start; the descriptor area starts at 0.
    public let driverAreaOffset: Int
    /// Where the device area starts, in bytes from the block's start.
    public let deviceAreaOffset: Int
    /// The bytes of the whole block.
    public let byteCount: Int

    /// The alignment the block needs, in bytes: a cache line.
    public static let alignment = 64

    /// Lays out a ring of `size` descriptors: for a split ring a power of two from 1 to 32768.
    ///
    /// - Throws: ``VirtQueueError/Code/invalidSize(_:)``.
    public init(size: UInt16, format: RingFormat = .split) throws(VirtQueueError) {
        self.size = size
        switch format {
        case .split:
            guard SplitRingNumbers.isValid(size: size) else { throw VirtQueueError(.invalidSize(size)) }
            driverAreaOffset = Self.aligned(SplitRingNumbers.descriptorTableBytes(size: size))
            deviceAreaOffset = Self.aligned(
                driverAreaOffset + SplitRingNumbers.availRingBytes(size: size, eventIndex: true))
            byteCount = Self.aligned(
                deviceAreaOffset + SplitRingNumbers.usedRingBytes(size: size, eventIndex: true))
        }
    }

    /// The ring's layout where the block starts at `address`, which must leave room for the block.
    public func layout(at address: IOVirtualAddress) -> RingLayout {
        guard
            address.advanced(by: ByteCount(byteCount)) != nil,
            let driverArea = address.advanced(by: ByteCount(driverAreaOffset)),
            let deviceArea = address.advanced(by: ByteCount(deviceAreaOffset))
        else { preconditionFailure("a ring of \(byteCount) bytes at \(address) wraps the address space") }
        return RingLayout(
            size: size,
            addresses: RingAddresses(descriptorArea: address, driverArea: driverArea, deviceArea: deviceArea))
    }

    private static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) & ~(alignment - 1) }
}
