public import VhostVDPA

/// What probing found out about a device: on this, not on its name, depends which rules it can be asked.
public struct DeviceTraits: Hashable, Sendable {
    /// Why a trait is not known, `nil` where it is. The rules that depend on it cannot be asked.
    package struct Unknown: Hashable, Sendable {
        /// Whether frames get through, and how maps are taken.
        package var traffic: String?
        /// Whether maps live through a reset.
        package var reset: String?
        /// Whether the 1:1 state can be seen.
        package var identity: String?
    }

    /// The virtio device type.
    public package(set) var deviceID: UInt32 = 0
    /// The virtio features it offers, the lower 64 bits.
    public package(set) var features: UInt64 = 0
    /// The backend features that vhost-vdpa offers for it.
    public package(set) var backendFeatures: UInt64 = 0
    /// The size of the configuration space, in bytes.
    public package(set) var configurationSize: UInt32 = 0
    /// The number of queues.
    public package(set) var vringCount: UInt32 = 0
    /// The number of groups of queues.
    public package(set) var groupCount: UInt32 = 1
    /// The number of address spaces.
    public package(set) var addressSpaceCount: UInt32 = 1
    /// The largest ring, in descriptors.
    public package(set) var maximumVringSize: UInt32 = 0
    /// The lowest address that the device can use.
    public package(set) var iovaFirst: UInt64 = 0
    /// The highest address that the device can use.
    public package(set) var iovaLast: UInt64 = .max
    /// Maps name virtual addresses; otherwise pages are pinned.
    public package(set) var usesVirtualAddresses = false
    /// How the device takes maps.
    public package(set) var mapOperation = MapOperation.platform
    /// The device's maps live through a reset that IOTLB_PERSIST was not acknowledged before.
    public package(set) var keepsMapsOverReset = true
    /// Why the device moves no frame for us, or `nil` where it does.
    package var noTraffic: String?
    /// What could not be found out, as the one who asked lacked something.
    package var unknown = Unknown()
    /// Why the 1:1 state of the device's IOMMU cannot be seen, or `nil` where it can.
    package var noIdentity: String?

    /// VERSION_1 and ACCESS_PLATFORM, as far as they are offered, and the control queue with its MAC command.
    var driverFeatures: UInt64 { features & (1 << 32 | 1 << 33 | 1 << 17 | 1 << 23 | 1 << 5) }

    /// Has the control queue, the groups and the configuration of the kernel's vdpa_sim_net.
    var isSimulatorNetwork: Bool {
        deviceID == 1 && configurationSize == 24 && features & (1 << 17) != 0 && groupCount == 2
            && mapOperation != .platform
    }

    /// IOVA = machine's physical address can come up: an on-chip IOMMU over pinned memory.
    var mayTouchPhysicalMemory: Bool { !usesVirtualAddresses && iovaLast == .max }

    /// An IOVA at which a device without maps finds nothing but zeroes of our own, or `nil` where there is none.
    func harmlessAddress(_ decoy: TestPages) throws(RuleInterruption) -> UInt64? {
        mayTouchPhysicalMemory ? try decoy.physicalAddress() : max(0x1000_0000, iovaFirst)
    }
}
