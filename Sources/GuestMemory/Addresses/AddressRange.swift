/// A non-empty range of addresses with both ends included.
///
/// Inclusive ends are the only form that can name the whole 64-bit space and a range that ends at its last
/// byte, which a device's IOVA range and an identity mapping both do.
public struct AddressRange<Address: MemoryAddress>: Hashable, Sendable {
    /// The lowest address.
    public let first: Address
    /// The highest address, itself part of the range.
    public let last: Address

    /// Makes the range from `first` to `last`, both included, or `nil` where `last` is lower.
    @inlinable
    public init?(first: Address, last: Address) {
        guard first <= last else { return nil }
        self.first = first
        self.last = last
    }

    /// Makes the range of `byteCount` bytes from `first`, or `nil` where that is empty or wraps.
    @inlinable
    public init?(first: Address, byteCount: ByteCount) {
        guard byteCount.rawValue > 0 else { return nil }
        let (last, overflow) = first.rawValue.addingReportingOverflow(byteCount.rawValue - 1)
        guard !overflow else { return nil }
        self.first = first
        self.last = Address(rawValue: last)
    }

    /// The number of bytes, or `nil` for the whole 64-bit space, whose count does not fit in 64 bits.
    @inlinable
    public var byteCount: ByteCount? {
        let distance = last.rawValue - first.rawValue
        return distance == .max ? nil : ByteCount(rawValue: distance + 1)
    }

    /// Whether `address` is in the range.
    @inlinable
    public func contains(_ address: Address) -> Bool { first <= address && address <= last }

    /// Whether every address of `other` is in the range.
    @inlinable
    public func contains(_ other: Self) -> Bool { first <= other.first && other.last <= last }

    /// Whether the ranges share at least one address.
    @inlinable
    public func overlaps(_ other: Self) -> Bool { first <= other.last && other.first <= last }

    /// The addresses that both ranges have, or `nil` where they are apart.
    @inlinable
    public func intersection(_ other: Self) -> Self? {
        Self(first: max(first, other.first), last: min(last, other.last))
    }
}

extension AddressRange: CustomStringConvertible {
    /// Both ends in hexadecimal, in the brackets of a closed interval.
    public var description: String { "[\(first), \(last)]" }
}
