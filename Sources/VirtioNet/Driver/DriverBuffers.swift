package import GuestMemory

/// A block of guest memory that a driver cuts into frame buffers.
///
/// The caller keeps the block mapped, in the guest and on the host, until the driver has given it back.
@safe
package struct DriverBuffers: @unchecked Sendable {
    package let guest: GuestPhysicalAddress
    package let count: Int
    /// A buffer's length in bytes.
    package let stride: Int
    /// The host's view of `guest`.
    let host: UnsafeMutableRawPointer

    /// The least length of a buffer: a virtio header and the longest frame of an MTU of 1500, rounded up.
    package static let defaultStride = 2048
    /// What stands before and behind the payload of a link's MTU: the Ethernet header and a VLAN's tag.
    private static let linkOverhead = 18
    private static let strideUnit = 1024

    /// The length of buffers for a link of that MTU in bytes: a header, the longest frame, and the byte more by which
    /// the driver tells a frame that was cut.
    package static func stride(forMTU mtu: Int) -> Int {
        let needed = NetworkHeader.byteCount + min(mtu, 65_535) + linkOverhead + 1
        return max(defaultStride, (needed + strideUnit - 1) / strideUnit * strideUnit)
    }

    /// Makes as many buffers as fit in `byteCount` bytes at `guest`, whose host address is `host`.
    package init(
        guest: GuestPhysicalAddress, host: UnsafeMutableRawPointer, byteCount: ByteCount,
        stride: Int = Self.defaultStride
    ) {
        self.guest = guest
        unsafe self.host = host
        self.stride = stride
        count = min(Int(clamping: byteCount.rawValue) / stride, 1 << 20)
    }

    /// One of `count` equal parts: the buffers of a queue pair.
    func part(_ index: Int, of count: Int) -> DriverBuffers {
        let each = self.count / count
        let offset = index * each * stride
        return unsafe DriverBuffers(
            guest: GuestPhysicalAddress(rawValue: guest.rawValue + UInt64(offset)), host: host + offset,
            byteCount: ByteCount(each * stride), stride: stride)
    }
}
