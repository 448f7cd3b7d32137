public import GuestMemory
public import SystemPackage
internal import VhostVDPA
public import VirtQueue
public import Virtio

/// A vDPA parent driver: the kernel's `struct vdpa_config_ops` (`include/linux/vdpa.h`).
///
/// vhost-vdpa calls it, in ``SimulatedVDPADevice``, on the control thread. An optional operation is called only where
/// ``ParentDescription/operations`` or ``ParentDescription/mapOperation`` has it, and need not be written otherwise.
/// Every call is complete when it returns. An index of a queue is below ``ParentDescription/queueCount``.
public protocol ParentDriver: AnyObject {
    /// What the device is. Asked once for each open.
    var description: ParentDescription { get }

    // MARK: Negotiation

    /// What the device offers.
    var deviceFeatures: VirtioFeatures { get }
    /// Takes the features the driver wants; whatever it throws is EINVAL to the driver.
    func setDriverFeatures(_ features: VirtioFeatures) throws(Errno)
    /// What ``setDriverFeatures(_:)`` has kept (`get_driver_features`). vhost asks it after each SET_FEATURES that succeeds,
    /// for RING_PACKED: with it a ring's base has 32 bits that mean something. Optional.
    var driverFeatures: VirtioFeatures { get }
    /// The status: what was set, and what the device has added.
    var status: DeviceStatus { get }
    /// Stores a status that is not zero: zero is a reset, and vhost-vdpa calls that.
    func setStatus(_ status: DeviceStatus)
    /// Stops every queue and forgets what the driver negotiated. Called at every open, reset and close.
    func reset() throws(Errno)
    /// Resets with `flags`. Optional: `.compatReset`.
    func compatReset(_ flags: ResetFlags) throws(Errno)
    /// Stops every queue with nothing in flight, until a resume or a reset. Optional: `.suspend`.
    func suspend() throws(Errno)
    /// Takes a suspend back. Optional: `.resume`.
    func resume() throws(Errno)

    // MARK: Configuration space

    /// `count` bytes of the configuration space, which has them.
    func configuration(at offset: Int, count: Int) -> [UInt8]
    /// Writes to the configuration space, which has room. Where it is not written, nothing changes.
    func setConfiguration(_ bytes: [UInt8], at offset: Int)
    /// Signals `file` on a configuration change from now on; `nil` unbinds. A device that never changes it by itself has
    /// nobody to signal.
    func setConfigurationCall(_ file: EventFile?)

    // MARK: Queues

    /// The number of descriptors, a power of two.
    func setQueueSize(_ size: UInt32, queue: Int)
    /// Where the ring is, in the addresses that are mapped; whatever it throws is EINVAL to the driver.
    func setQueueAddresses(_ addresses: RingAddresses, queue: Int) throws(Errno)
    /// Where the ring goes on (`set_vq_state`).
    func setQueueState(_ state: QueueState, queue: Int) throws(Errno)
    /// The same where ``driverFeatures`` have RING_PACKED. Optional: EOPNOTSUPP.
    func setPackedQueueState(_ base: VringBase, queue: Int) throws(Errno)
    /// Where the ring stands (`get_vq_state`).
    func queueState(_ queue: Int) throws(Errno) -> QueueState
    /// Lets the queue run, as soon as the device does, or not.
    func setQueueReady(_ isReady: Bool, queue: Int)
    /// Takes kicks from `file`; `nil` unbinds. In the kernel vhost polls it and calls `kick_vq`; here the device polls it,
    /// so that a kick wakes one thread instead of two.
    func setKick(_ file: EventFile?, queue: Int)
    /// Calls through `file` from now on, until a reset; `nil` unbinds.
    func setCallback(_ file: EventFile?, queue: Int)
    /// The size of a queue's ring. Optional: `.queueSize`.
    func queueSize(_ queue: Int) -> UInt32
    /// The group a queue translates with. Optional: `.queueGroup`.
    func group(ofQueue queue: Int) -> UInt32
    /// The group a queue's descriptors translate with. Optional: `.descriptorGroup`.
    func descriptorGroup(ofQueue queue: Int) -> UInt32
    /// Points a group at an address space. Optional: `.setGroupAddressSpace`.
    func setGroup(_ group: UInt32, addressSpace: UInt32) throws(Errno)

    // MARK: Maps

    /// Replaces a whole address space. Optional: `MapOperation.setMap`.
    func setMap(_ entries: [TranslationEntry], addressSpace: UInt32) throws(Errno)
    /// Adds an entry. Optional: `MapOperation.dmaMap`.
    func map(_ entry: TranslationEntry, addressSpace: UInt32) throws(Errno)
    /// Removes what touches `range`. Optional: `MapOperation.dmaMap`.
    func unmap(_ range: AddressRange<IOVirtualAddress>, addressSpace: UInt32)
    /// Brings an address space back to what it was before anybody mapped. Optional: `.resetMap`.
    func resetMap(addressSpace: UInt32) throws(Errno)
}

/// What a parent without the operation has in the kernel: nothing, and EOPNOTSUPP where an answer is due.
extension ParentDriver {
    /// None, so that rings are split.
    public var driverFeatures: VirtioFeatures { [] }
    /// EOPNOTSUPP.
    public func setPackedQueueState(_ base: VringBase, queue: Int) throws(Errno) {
        throw .operationNotSupported
    }
    /// Resets; the maps stay.
    public func compatReset(_ flags: ResetFlags) throws(Errno) { try reset() }
    /// EOPNOTSUPP.
    public func suspend() throws(Errno) { throw .operationNotSupported }
    /// EOPNOTSUPP.
    public func resume() throws(Errno) { throw .operationNotSupported }
    /// Nothing changes.
    public func setConfiguration(_ bytes: [UInt8], at offset: Int) {}
    /// Nobody is signalled.
    public func setConfigurationCall(_ file: EventFile?) {}
    /// The largest size.
    public func queueSize(_ queue: Int) -> UInt32 { UInt32(description.maximumQueueSize) }
    /// The first group.
    public func group(ofQueue queue: Int) -> UInt32 { 0 }
    /// The first group.
    public func descriptorGroup(ofQueue queue: Int) -> UInt32 { 0 }
    /// EOPNOTSUPP.
    public func setGroup(_ group: UInt32, addressSpace: UInt32) throws(Errno) { throw .operationNotSupported }
    /// EOPNOTSUPP.
    public func setMap(_ entries: [TranslationEntry], addressSpace: UInt32) throws(Errno) {
        throw .operationNotSupported
    }
    /// EOPNOTSUPP.
    public func map(_ entry: TranslationEntry, addressSpace: UInt32) throws(Errno) {
        throw .operationNotSupported
    }
    /// Nothing is mapped.
    public func unmap(_ range: AddressRange<IOVirtualAddress>, addressSpace: UInt32) {}
    /// EOPNOTSUPP.
    public func resetMap(addressSpace: UInt32) throws(Errno) { throw .operationNotSupported }
}
