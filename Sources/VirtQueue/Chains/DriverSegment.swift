public import GuestMemory

/// A buffer the driver lends to the device: one descriptor.
public struct DriverSegment: Hashable, Sendable {
    /// Where it starts, as the device sees it.
    public let address: IOVirtualAddress
    /// Its length in bytes, above zero.
    public let byteCount: UInt32

    /// Makes a buffer of `byteCount` bytes at `address`.
    @inlinable
    public init(address: IOVirtualAddress, byteCount: UInt32) {
        self.address = address
        self.byteCount = byteCount
    }
}
