public import GuestMemory

/// Where the three areas of a virtqueue stand in the device's address space, in the standard's words for every ring
/// format (virtio 1.2, section 4.1.4.3).
public struct RingAddresses: Hashable, Sendable {
    /// The descriptor area: a split ring's descriptor table, 16 bytes a descriptor, aligned to 16.
    public var descriptorArea: IOVirtualAddress
    /// The driver area: a split ring's avail ring, which the driver writes, aligned to 2.
    public var driverArea: IOVirtualAddress
    /// The device area: a split ring's used ring, which the device writes, aligned to 4.
    public var deviceArea: IOVirtualAddress

    /// Makes a ring's addresses; nothing is checked before a queue is made of them.
    public init(descriptorArea: IOVirtualAddress, driverArea: IOVirtualAddress, deviceArea: IOVirtualAddress)
    {
        self.descriptorArea = descriptorArea
        self.driverArea = driverArea
        self.deviceArea = deviceArea
    }

    /// What a ring has before anybody names its areas, and after a reset.
    public static let zero = RingAddresses(
        descriptorArea: IOVirtualAddress(rawValue: 0), driverArea: IOVirtualAddress(rawValue: 0),
        deviceArea: IOVirtualAddress(rawValue: 0))
}

/// A virtqueue's size and addresses: what a device side is made of.
public struct RingLayout: Hashable, Sendable {
    /// The number of descriptors: for a split ring a power of two from 1 to 32768.
    public var size: UInt16
    /// Where the ring stands, as the device addresses it.
    public var addresses: RingAddresses

    /// Makes a layout; nothing is checked before a queue is made of it.
    public init(size: UInt16, addresses: RingAddresses) {
        self.size = size
        self.addresses = addresses
    }
}
