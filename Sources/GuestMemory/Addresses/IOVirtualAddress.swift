/// An address as the device uses it, before the device's IOTLB translates it (an IOVA).
///
/// Without a virtual IOMMU in the guest its number equals the guest physical address; the types stay apart
/// because a device that has lost its maps gives the same number another meaning.
public struct IOVirtualAddress: MemoryAddress {
    /// The number itself.
    public let rawValue: UInt64

    /// Makes a value of its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The address under which a device without a virtual IOMMU sees `guest`.
    @inlinable
    public init(_ guest: GuestPhysicalAddress) { self.init(rawValue: guest.rawValue) }
}

extension IOVirtualAddress: ExpressibleByIntegerLiteral {
    /// Makes an address of a literal, as `0x10_0000`.
    @inlinable
    public init(integerLiteral: UInt64) { self.init(rawValue: integerLiteral) }
}
