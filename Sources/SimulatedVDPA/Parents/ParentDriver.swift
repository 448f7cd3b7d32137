package import GuestMemory
package import SystemPackage
package import Virtio

/// A vDPA parent driver: the kernel's `struct vdpa_config_ops` (`include/linux/vdpa.h`).
///
/// The bus driver (vhost-vdpa here) calls it, on the control thread, and calls an optional operation only where
/// ``ParentDescription/operations`` has it. Every call is complete when it returns.
package protocol ParentDriver: AnyObject {
    var description: ParentDescription { get }

    // Negotiation.
    var deviceFeatures: VirtioFeatures { get }
    /// The features the driver set and the device has.
    var driverFeatures: VirtioFeatures { get }
    func setDriverFeatures(_ features: VirtioFeatures) throws(Errno)
    var status: DeviceStatus { get }
    /// Stores a status that is not zero: zero is a reset, and vhost-vdpa calls that.
    func setStatus(_ status: DeviceStatus)
    func reset() throws(Errno)
    /// Resets with `flags`. Optional.
    func compatReset(_ flags: ResetFlags) throws(Errno)
    /// Stops every queue with nothing in flight, until a resume or a reset. Optional.
    func suspend() throws(Errno)
    /// Takes a suspend back. Optional.
    func resume() throws(Errno)

    // Configuration space.
    func configuration(at offset: Int, count: Int) -> [UInt8]
    func setConfiguration(_ bytes: [UInt8], at offset: Int)
    /// Signals `file` on a configuration change from now on; `nil` unbinds.
    func setConfigurationCall(_ file: EventFile?)

    // Queues. An index is below `queueCount`.
    func setQueueSize(_ size: UInt32, queue: Int)
    func setQueueAddresses(_ addresses: RingAddresses, queue: Int) throws(Errno)
    func setQueueBase(_ base: UInt16, queue: Int) throws(Errno)
    func queueBase(_ queue: Int) throws(Errno) -> UInt16
    func setQueueReady(_ isReady: Bool, queue: Int)
    /// The size of a queue's ring. Optional.
    func queueSize(_ queue: Int) -> UInt32
    /// Takes kicks from `file`; `nil` unbinds. In the kernel vhost polls it and calls `kick_vq`; here the
    /// device's worker polls it, so that a kick wakes one thread instead of two. That takes a descriptor more than
    /// the kernel does, and so EMFILE where none is left; an unbinding never fails.
    func setKick(_ file: EventFile?, queue: Int) throws(Errno)
    /// Calls through `file` from now on, until a reset; `nil` unbinds. Fails as ``setKick(_:queue:)`` does.
    func setCallback(_ file: EventFile?, queue: Int) throws(Errno)
    /// The group a queue translates with. Optional.
    func group(ofQueue queue: Int) -> UInt32
    /// The group a queue's descriptors translate with. Optional.
    func descriptorGroup(ofQueue queue: Int) -> UInt32
    /// Points a group at an address space. Optional.
    func setGroup(_ group: UInt32, addressSpace: UInt32) throws(Errno)

    // Maps, as `mapOperation` says.
    /// Keeps mapped memory within the device's reach.
    var memory: DeviceMemory { get }
    /// The IOMMU in front of a device whose parent has no map operations (`vdpa_get_dma_dev`); else `nil`.
    var platformIOMMU: PlatformIOMMU? { get }
    func setMap(_ entries: [TranslationEntry], addressSpace: UInt32) throws(Errno)
    func map(_ entry: TranslationEntry, addressSpace: UInt32) throws(Errno)
    func unmap(_ range: AddressRange<IOVirtualAddress>, addressSpace: UInt32)
    /// Brings an address space back to what it was before anybody mapped. Optional.
    func resetMap(addressSpace: UInt32) throws(Errno)

    /// Lets the device see what `map` and `unmap`, or the platform's IOMMU, have changed. The bus driver calls it
    /// once per message: the kernel's device sees each entry at once, and our worker takes a table as a whole.
    func applyMaps()

    /// What is wrong with the device.
    var faults: FaultInjector { get }

    // The DMA API, by which a driver in the kernel itself has its memory reached.
    /// Lets the device reach `memory` and returns the address it has for the first byte (`dma_map_single`).
    func mapKernelMemory(_ memory: AddressRange<HostAddress>) throws(Errno) -> IOVirtualAddress
    /// Takes back what ``mapKernelMemory(_:)`` gave (`dma_unmap_single`). No queue may be running.
    func unmapKernelMemory(_ memory: AddressRange<HostAddress>)

    /// What is known about the device, for listings and tests.
    var parentDiagnostics: ParentDiagnostics { get }
    /// Ends the device. Every later call does nothing.
    func shutdown()
}
