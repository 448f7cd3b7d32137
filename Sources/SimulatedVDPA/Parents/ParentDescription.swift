public import GuestMemory
public import VhostVDPA
public import Virtio

/// What a parent driver says about its device once and for all.
public struct ParentDescription: Sendable {
    /// The virtio device type.
    public var deviceID: VirtioDeviceID
    /// The vendor's number, which `vdpa dev show` prints.
    public var vendorID: UInt32
    /// The number of virtqueues.
    public var queueCount: Int
    /// The largest ring, in descriptors.
    public var maximumQueueSize: UInt16
    /// The groups of queues that can be given address spaces of their own.
    public var groupCount: Int
    /// The address spaces that the device has.
    public var addressSpaceCount: Int
    /// The size of the virtio configuration space in bytes.
    public var configurationSize: Int
    /// The addresses the device can use; vhost-vdpa refuses to map any other.
    public var iovaRange: AddressRange<IOVirtualAddress>
    /// Maps name the owner's virtual addresses (`use_va`), so nothing is pinned.
    public var usesVirtualAddresses: Bool
    /// How the parent takes mappings.
    public var mapOperation: MapOperation
    /// The optional operations that the parent has.
    public var operations: ParentOperations
    /// The bytes from one queue's doorbell to the next, which is its size (`get_vq_notification`), the first on a page
    /// boundary; 0 where all data queues share one page, `nil` where the parent has none to map.
    public var doorbellStride: Int?
    /// The backend features the parent declares itself (`get_backend_features`).
    public var declaredBackendFeatures: BackendFeatures

    /// A description of its parts; a part that is left out is what most devices have.
    ///
    /// - Parameters:
    ///   - deviceID: The virtio device type.
    ///   - queueCount: The number of virtqueues.
    ///   - maximumQueueSize: The largest ring, in descriptors.
    ///   - configurationSize: The size of the virtio configuration space in bytes.
    ///   - mapOperation: How the parent takes mappings.
    ///   - operations: The optional operations that the parent has.
    ///   - usesVirtualAddresses: Whether maps name the owner's virtual addresses; otherwise pages are pinned.
    ///   - iovaRange: The addresses the device can use; `nil` for the whole 64-bit space.
    ///   - groupCount: The groups of queues that can be given address spaces of their own.
    ///   - addressSpaceCount: The address spaces that the device has.
    ///   - vendorID: The vendor's number.
    ///   - doorbellStride: The bytes from one queue's doorbell to the next; 0 for a page that all share, `nil` where there
    ///     is none to map.
    ///   - declaredBackendFeatures: The backend features the parent declares itself.
    public init(
        deviceID: VirtioDeviceID, queueCount: Int, maximumQueueSize: UInt16, configurationSize: Int,
        mapOperation: MapOperation, operations: ParentOperations = [], usesVirtualAddresses: Bool = false,
        iovaRange: AddressRange<IOVirtualAddress>? = nil, groupCount: Int = 1, addressSpaceCount: Int = 1,
        vendorID: UInt32 = 0, doorbellStride: Int? = nil, declaredBackendFeatures: BackendFeatures = []
    ) {
        self.deviceID = deviceID
        self.vendorID = vendorID
        self.queueCount = queueCount
        self.maximumQueueSize = maximumQueueSize
        self.groupCount = groupCount
        self.addressSpaceCount = addressSpaceCount
        self.configurationSize = configurationSize
        self.iovaRange = iovaRange ?? AddressRange(everything: IOVirtualAddress.self)
        self.usesVirtualAddresses = usesVirtualAddresses
        self.mapOperation = mapOperation
        self.operations = operations
        self.doorbellStride = doorbellStride
        self.declaredBackendFeatures = declaredBackendFeatures
    }
}

/// The optional operations of `vdpa_config_ops` that a parent has; vhost-vdpa looks before it calls.
public struct ParentOperations: OptionSet, Hashable, Sendable {
    /// One bit for each operation, of this library's own.
    public let rawValue: UInt16

    /// Makes a set of its bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// `reset_map`: a close brings an address space back to its initial state; IOTLB_PERSIST is offered.
    public static let resetMap = Self(rawValue: 1 << 0)
    /// `compat_reset`: a reset that is told to drop the maps.
    public static let compatReset = Self(rawValue: 1 << 1)
    /// `suspend`: SUSPEND is offered.
    public static let suspend = Self(rawValue: 1 << 2)
    /// `resume`: RESUME is offered.
    public static let resume = Self(rawValue: 1 << 3)
    /// `get_vq_group`: queues are in groups.
    public static let queueGroup = Self(rawValue: 1 << 4)
    /// `get_vq_desc_group`: a queue's descriptors may be in another group; DESC_ASID is offered.
    public static let descriptorGroup = Self(rawValue: 1 << 5)
    /// `set_group_asid`: a group can be given another address space.
    public static let setGroupAddressSpace = Self(rawValue: 1 << 6)
    /// `get_vq_size`: the size of a queue's ring can be read.
    public static let queueSize = Self(rawValue: 1 << 7)
}

/// What `compat_reset` is asked for on top of a reset.
public struct ResetFlags: OptionSet, Hashable, Sendable {
    /// The bits as the kernel has them.
    public let rawValue: UInt32

    /// Makes a set of its bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// The maps are to go (`VDPA_RESET_F_CLEAN_MAP`).
    public static let cleanMap = Self(rawValue: 1)
}
