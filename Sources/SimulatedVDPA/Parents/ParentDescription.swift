package import GuestMemory
package import VhostVDPA

/// What a parent driver says about its device once and for all.
package struct ParentDescription: Sendable {
    /// The virtio device type: 1 is a network card.
    package var deviceID: UInt32
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
