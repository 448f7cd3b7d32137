package import GuestMemory
internal import VirtQueue

/// The guest memory a driver lives in: its two rings, then frame buffers.
///
/// The caller keeps the block mapped for as long as the driver runs.
@safe
package struct DriverMemory: @unchecked Sendable {
    /// The rings have room for the largest size a driver may change to.
    private static let ringSpace = 1 << 20

    package let guest: GuestPhysicalAddress
    let host: UnsafeMutableRawPointer
    package let byteCount: ByteCount
    /// The length of a frame buffer; see ``DriverBuffers/stride(forMTU:)``.
    package let bufferStride: Int

    /// The least memory that a driver with queues of `queueSize` and buffers of `bufferStride` bytes needs.
    package static func byteCount(
        queueSize: UInt16, queuePairs: Int = 1, bufferStride: Int = DriverBuffers.defaultStride
    ) -> ByteCount {
        let pages = (2 * ringSpace + buffersNeeded(queueSize: queueSize) * bufferStride + 4095) / 4096
        return ByteCount(queuePairs * pages * 4096)
    }

    /// A full ring in both directions, and a batch between the guest's port and the ring.
    package static func buffersNeeded(queueSize: UInt16) -> Int {
        2 * Int(queueSize) + FileGuest.batchSize
    }

    /// Describes the block of `byteCount` bytes at `guest`, page-aligned, whose host address is `host`.
    package init(
        guest: GuestPhysicalAddress, host: UnsafeMutableRawPointer, byteCount: ByteCount,
        bufferStride: Int = DriverBuffers.defaultStride
    ) {
        self.guest = guest
        unsafe self.host = host
        self.byteCount = byteCount
        self.bufferStride = bufferStride
    }

    /// One of `count` equal parts, in whole pages: the memory of a queue pair.
    func part(_ index: Int, of count: Int) -> DriverMemory {
        let size = byteCount.rawValue / UInt64(count) / 4096 * 4096
        let offset = UInt64(index) * size
        return unsafe DriverMemory(
            guest: GuestPhysicalAddress(rawValue: guest.rawValue + offset), host: host + Int(offset),
            byteCount: ByteCount(rawValue: size), bufferStride: bufferStride)
    }

    /// Refuses queues that the memory has no room for: a receive ring takes every buffer it can get, and one that
    /// can take all of them leaves none to send from.
    func checkRoom(for configuration: DriverConfiguration) throws(VirtioNetError) {
        let needed = Self.byteCount(queueSize: configuration.queueSize, bufferStride: bufferStride)
        guard byteCount >= needed else {
            throw VirtioNetError(.memoryTooSmall(needed: needed, given: byteCount))
        }
    }

    /// Where ring `index` stands for the driver.
    func ring(_ index: Int) -> UnsafeMutableRawPointer { unsafe host + index * Self.ringSpace }

    /// Where ring `index` stands for the device.
    func layout(_ index: Int, size: UInt16, format: RingFormat) throws(VirtQueueError) -> RingLayout {
        let address = IOVirtualAddress(rawValue: guest.rawValue + UInt64(index * Self.ringSpace))
        return try RingGeometry(size: size, format: format).layout(at: address)
    }

    /// What is left for frame buffers.
    var buffers: DriverBuffers {
        let offset = 2 * Self.ringSpace
        return unsafe DriverBuffers(
            guest: GuestPhysicalAddress(rawValue: guest.rawValue + UInt64(offset)), host: host + offset,
            byteCount: ByteCount(rawValue: byteCount.rawValue - UInt64(offset)), stride: bufferStride)
    }
}
