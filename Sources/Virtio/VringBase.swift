/// Where a ring goes on, as GET_VRING_BASE and SET_VRING_BASE carry it.
///
/// A split ring's is its next avail index. A packed ring's has the avail position with its wrap counter in the
/// low 16 bits and the used one in the high 16.
public struct VringBase: RawRepresentable, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt32
    /// Makes a value of its number.
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// The base of a split ring whose device takes `availIndex` next.
    @inlinable public init(availIndex: UInt16) { rawValue = UInt32(availIndex) }
    /// A split ring's next avail index.
    @inlinable public var availIndex: UInt16 { UInt16(truncatingIfNeeded: rawValue) }
    /// A split ring that has never run.
    @inlinable public static var zero: VringBase { VringBase(rawValue: 0) }
}

extension VringBase: CustomStringConvertible {
    /// The number in decimal.
    public var description: String { "\(rawValue)" }
}
