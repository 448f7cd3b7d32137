/// A 64-bit address in one particular space.
///
/// Guest physical, I/O virtual and host addresses are separate types so that the compiler refuses the mix-up
/// that a bare `UInt64` invites. Arithmetic is explicit and checked: an address only moves by a ``ByteCount``
/// and wrapping is `nil`, never silent.
public protocol MemoryAddress:
    RawRepresentable<UInt64>, Comparable, Hashable, Sendable, CustomStringConvertible
{
    /// Makes an address of its number.
    init(rawValue: UInt64)
}

extension MemoryAddress {
    /// Orders addresses of one space by their number.
    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The address `distance` bytes higher, or `nil` where that would wrap around the 64-bit space.
    @inlinable
    public func advanced(by distance: ByteCount) -> Self? {
        let (sum, overflow) = rawValue.addingReportingOverflow(distance.rawValue)
        return overflow ? nil : Self(rawValue: sum)
    }

    /// The number of bytes from `lower` up to this address, or `nil` where `lower` is the higher one.
    @inlinable
    public func distance(from lower: Self) -> ByteCount? {
        lower.rawValue <= rawValue ? ByteCount(rawValue: rawValue - lower.rawValue) : nil
    }

    /// Whether the address is a multiple of `alignment`, which must be a power of two.
    @inlinable
    public func isAligned(to alignment: ByteCount) -> Bool { rawValue & (alignment.rawValue &- 1) == 0 }

    /// The lowest multiple of `alignment`, a power of two, that is not below this address, or `nil` where that
    /// would wrap around the 64-bit space.
    @inlinable
    public func alignedUp(to alignment: ByteCount) -> Self? {
        advanced(by: ByteCount(rawValue: (0 &- rawValue) & (alignment.rawValue &- 1)))
    }

    /// The address in hexadecimal, as every log line and error prints it.
    public var description: String { "0x" + String(rawValue, radix: 16) }
}
