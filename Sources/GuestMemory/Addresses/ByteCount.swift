/// A size or a distance in bytes.
public struct ByteCount: RawRepresentable, Comparable, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt64

    /// Makes a value of its number.
    @inlinable
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Makes a count of an `Int`; a negative one is a programming error and traps.
    @inlinable
    public init(_ count: Int) { self.init(rawValue: UInt64(count)) }

    /// Orders counts by their number.
    @inlinable
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The count as an `Int`, or `nil` above `Int.max`.
    @inlinable
    public var asInt: Int? { Int(exactly: rawValue) }

    /// No bytes at all.
    public static let zero = ByteCount(rawValue: 0)

    /// `count` times 1024 bytes; a count that does not fit traps.
    @inlinable
    public static func kibibytes(_ count: Int) -> Self { Self(count * (1 << 10)) }

    /// `count` times 1024 KiB; a count that does not fit traps.
    @inlinable
    public static func mebibytes(_ count: Int) -> Self { Self(count * (1 << 20)) }

    /// `count` times 1024 MiB; a count that does not fit traps.
    @inlinable
    public static func gibibytes(_ count: Int) -> Self { Self(count * (1 << 30)) }

    /// Whether the count is a multiple of `unit`, which must be above zero.
    @inlinable
    public func isMultiple(of unit: ByteCount) -> Bool { rawValue % unit.rawValue == 0 }
}
