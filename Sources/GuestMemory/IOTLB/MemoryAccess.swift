/// What a mapping lets a device do, with vhost's numbers (`VHOST_ACCESS_RO` 1, `WO` 2, `RW` 3).
public struct MemoryAccess: OptionSet, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt8

    /// Makes a value of its number.
    @inlinable
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The device may read.
    public static let read = MemoryAccess(rawValue: 1)  // VHOST_ACCESS_RO
    /// The device may write.
    public static let write = MemoryAccess(rawValue: 2)  // VHOST_ACCESS_WO
    /// The device may do both.
    public static let readWrite: MemoryAccess = [.read, .write]  // VHOST_ACCESS_RW
}
