public import GuestMemory
public import SystemPackage
public import VhostVDPA

/// What a start tells the device about one virtqueue.
public struct VringSetup: Hashable, Sendable {
    /// Which queue.
    public var index: VringIndex
    /// The number of descriptors.
    public var size: UInt16
    /// Where the ring goes on.
    public var base: VringBase
    /// The descriptor table, as the device addresses it.
    public var descriptorTable: IOVirtualAddress
    /// The avail ring, as the device addresses it.
    public var availRing: IOVirtualAddress
    /// The used ring, as the device addresses it.
    public var usedRing: IOVirtualAddress
    /// The eventfd that the driver writes to. The caller keeps it open until the device is closed, so that the
    /// same number in a later start is the same eventfd.
    public var kick: FileDescriptor
    /// The eventfd that the device writes to. The caller keeps it open until the device is closed.
    public var call: FileDescriptor

    /// A setup of its parts.
    public init(
        index: VringIndex, size: UInt16, base: VringBase, descriptorTable: IOVirtualAddress,
        availRing: IOVirtualAddress, usedRing: IOVirtualAddress, kick: FileDescriptor, call: FileDescriptor
    ) {
        self.index = index
        self.size = size
        self.base = base
        self.descriptorTable = descriptorTable
        self.availRing = availRing
        self.usedRing = usedRing
        self.kick = kick
        self.call = call
    }
}
