public import GuestMemory

/// Where a split virtqueue stands in the device's address space (virtio 1.2, section 2.7).
public struct SplitQueueLayout: Hashable, Sendable {
    /// The number of descriptors: a power of two from 1 to 32768.
    public let size: UInt16
    /// The descriptor table: 16 bytes per descriptor, aligned to 16.
    public let descriptorTable: IOVirtualAddress
    /// The avail ring, which the driver writes: aligned to 2.
    public let availRing: IOVirtualAddress
    /// The used ring, which the device writes: aligned to 4.
    public let usedRing: IOVirtualAddress

    /// Makes a layout; nothing is checked before a queue is made of it.
    public init(
        size: UInt16, descriptorTable: IOVirtualAddress, availRing: IOVirtualAddress,
        usedRing: IOVirtualAddress
    ) {
        self.size = size
        self.descriptorTable = descriptorTable
        self.availRing = availRing
        self.usedRing = usedRing
    }
}
