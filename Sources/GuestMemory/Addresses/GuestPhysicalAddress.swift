/// An address as the guest's own CPU would use it: an offset in the machine's physical address space.
public struct GuestPhysicalAddress: MemoryAddress {
    /// The number itself.
    public let rawValue: UInt64

    /// Makes a value of its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

extension GuestPhysicalAddress: ExpressibleByIntegerLiteral {
    /// Makes an address of a literal, as `0x10_0000`.
    @inlinable
    public init(integerLiteral: UInt64) { self.init(rawValue: integerLiteral) }
}
