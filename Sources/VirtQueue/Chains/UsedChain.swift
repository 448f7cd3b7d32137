/// A chain the device has returned to the driver.
public struct UsedChain: BitwiseCopyable, Hashable, Sendable {
    /// What the driver named the chain when it added it.
    public let token: UInt32
    /// The bytes the device says it wrote; never more than the chain's device-writable bytes.
    public let byteCount: UInt32

    /// Makes a returned chain.
    @inlinable
    public init(token: UInt32, byteCount: UInt32) {
        self.token = token
        self.byteCount = byteCount
    }
}
