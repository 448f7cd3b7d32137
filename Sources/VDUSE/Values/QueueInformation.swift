internal import GuestMemory
package import VirtQueue

/// What the kernel knows of a virtqueue (VDUSE_VQ_GET_INFO).
///
/// `struct vduse_vq_info`: index 0, size 4, descriptor area 8, driver area 16, device area 24, state 32, ready 40.
package struct QueueInformation: Hashable, Sendable {
    /// The driver's ring size; 0 where none was set.
    package let size: UInt32
    package let addresses: RingAddresses
    /// Where the driver has said that a split ring begins.
    package let availIndex: UInt16
    /// The driver has enabled the queue. The kernel tells nobody when that changes (API version 0).
    package let isReady: Bool

    static let byteCount = 48

    package init(size: UInt32, addresses: RingAddresses, availIndex: UInt16, isReady: Bool) {
        self.size = size
        self.addresses = addresses
        self.availIndex = availIndex
        self.isReady = isReady
    }

    init(_ structure: KernelStructure) {
        size = structure.field(4)
        addresses = RingAddresses(
            descriptorArea: IOVirtualAddress(rawValue: structure.field(8)),
            driverArea: IOVirtualAddress(rawValue: structure.field(16)),
            deviceArea: IOVirtualAddress(rawValue: structure.field(24)))
        availIndex = structure.field(32)
        isReady = structure.field(40, UInt8.self) != 0
    }

    /// The ring, where it has a size that a ring can have.
    package var layout: RingLayout? {
        UInt16(exactly: size).map { RingLayout(size: $0, addresses: addresses) }
    }
}
