/// A virtual address of this process, as a number: what vhost calls a user address.
///
/// It carries no right to access memory; only a mapping that is known to be alive turns it into a pointer.
public struct HostAddress: MemoryAddress {
    /// The number itself.
    public let rawValue: UInt64

    /// Makes a value of its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }
}
