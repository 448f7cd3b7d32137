/// An address as the guest's own CPU would use it: an offset in the machine's physical address space.
public struct GuestPhysicalAddress: MemoryAddress {
    /// The number itself.
    public let rawValue: UInt64

    /// Makes a value of its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}
