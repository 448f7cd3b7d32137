public import VhostVDPA

/// What a device said when it was opened, and what was agreed with it.
public struct NegotiatedDevice: Hashable, Sendable {
    /// The virtio device type, 1 for a network device.
    public let deviceID: UInt32
    /// The virtio features the device offers.
    public let deviceFeatures: DeviceFeatures
    /// The backend features vhost-vdpa offers for it.
    public let offeredBackendFeatures: BackendFeatures
    /// The backend features in force.
    public internal(set) var acknowledgedBackendFeatures: BackendFeatures
    /// The addresses it can use.
    public let iovaRange: IOVARange
    /// The number of its virtqueues.
    public let vringCount: UInt32
    /// The largest size of a virtqueue, in descriptors.
    public let maximumVringSize: UInt16
    /// The number of its virtqueue groups.
    public let groupCount: UInt32
    /// The number of its address spaces.
    public let addressSpaceCount: UInt32
    /// The configuration space as it was when the device was opened.
    public let configuration: [UInt8]
}
