public import GuestMemory

/// A virtqueue's number on its device: for a network device 0 receives, 1 transmits, and so on in pairs.
public struct VringIndex: RawRepresentable, ExpressibleByIntegerLiteral, Hashable, Comparable, Sendable {
    /// The number itself.
    public let rawValue: UInt32
    /// Makes a value of its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Makes a value of a literal.
    public init(integerLiteral value: UInt32) { rawValue = value }
    /// Orders by number.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

extension VringIndex: CustomStringConvertible {
    /// The number in decimal.
    public var description: String { "\(rawValue)" }
}

/// One of a device's address spaces (ASID). Space 0 always exists, and every group is in it after a reset.
public struct AddressSpaceID: RawRepresentable, ExpressibleByIntegerLiteral, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt32
    /// Makes a value of its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Makes a value of a literal.
    public init(integerLiteral value: UInt32) { rawValue = value }
}

extension AddressSpaceID: CustomStringConvertible {
    /// The number in decimal.
    public var description: String { "\(rawValue)" }
}

/// A set of virtqueues that share one address space.
public struct VringGroup: RawRepresentable, ExpressibleByIntegerLiteral, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt32
    /// Makes a value of its number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
    /// Makes a value of a literal.
    public init(integerLiteral value: UInt32) { rawValue = value }
}

extension VringGroup: CustomStringConvertible {
    /// The number in decimal.
    public var description: String { "\(rawValue)" }
}

/// The addresses a device can use, both ends included (`struct vhost_vdpa_iova_range`).
public typealias IOVARange = AddressRange<IOVirtualAddress>
