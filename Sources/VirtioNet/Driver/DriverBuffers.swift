package import GuestMemory

/// A block of guest memory that a driver cuts into frame buffers.
///
/// The caller keeps the block mapped, in the guest and on the host, until the driver has given it back.
@safe
package struct DriverBuffers: @unchecked Sendable {
    package let guest: GuestPhysicalAddress
    package let count: Int
    /// The host's view of `guest`.
    let host: UnsafeMutableRawPointer

    /// A buffer's length: a virtio header and the longest frame without offloads, rounded up.
    package static let stride = 2048

    /// Makes as many buffers as fit in `byteCount` bytes at `guest`, whose host address is `host`.
    package init(guest: GuestPhysicalAddress, host: UnsafeMutableRawPointer, byteCount: ByteCount) {
        self.guest = guest
        unsafe self.host = host
        count = min(Int(clamping: byteCount.rawValue) / Self.stride, 1 << 20)
    }

    /// One of `count` equal parts: the buffers of a queue pair.
    func part(_ index: Int, of count: Int) -> DriverBuffers {
        let each = self.count / count
        let offset = index * each * Self.stride
        return unsafe DriverBuffers(
            guest: GuestPhysicalAddress(rawValue: guest.rawValue + UInt64(offset)), host: host + offset,
            byteCount: ByteCount(each * Self.stride))
    }
}
