package import GuestMemory
package import VhostVDPA
package import Virtio

/// What a parent driver says about its device once and for all.
package struct ParentDescription: Sendable {
    /// The virtio device type.
    package var deviceID: VirtioDeviceID
    package var vendorID: UInt32
    package var queueCount: Int
    /// The largest ring, in descriptors.
    package var maximumQueueSize: UInt16
    package var groupCount: Int
    package var addressSpaceCount: Int
    /// The size of the virtio configuration space in bytes.
    package var configurationSize: Int
    /// The addresses the device can use; vhost-vdpa refuses to map any other.
    package var iovaRange: AddressRange<IOVirtualAddress>
    /// Maps name the owner's virtual addresses (`use_va`), so nothing is pinned.
    package var usesVirtualAddresses: Bool
    package var mapOperation: MapOperation
    package var operations: ParentOperations
    /// The bytes from one queue's doorbell to the next (`get_vq_notification`), the first on a page boundary;
    /// `nil` where the parent has none to map.
    package var doorbellStride: Int?
    /// The backend features the parent declares itself (`get_backend_features`).
    package var declaredBackendFeatures: BackendFeatures
}

/// The optional operations of `vdpa_config_ops` that a parent has; vhost-vdpa looks before it calls.
package struct ParentOperations: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let resetMap = Self(rawValue: 1 << 0)
    package static let compatReset = Self(rawValue: 1 << 1)
    package static let suspend = Self(rawValue: 1 << 2)
    package static let resume = Self(rawValue: 1 << 3)
    package static let queueGroup = Self(rawValue: 1 << 4)
    package static let descriptorGroup = Self(rawValue: 1 << 5)
    package static let setGroupAddressSpace = Self(rawValue: 1 << 6)
    package static let queueSize = Self(rawValue: 1 << 7)
}

/// What `compat_reset` is asked for on top of a reset.
package struct ResetFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let cleanMap = Self(rawValue: 1)  // VDPA_RESET_F_CLEAN_MAP
}
