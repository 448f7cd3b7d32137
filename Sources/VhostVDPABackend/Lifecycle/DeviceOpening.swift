internal import Logging
public import VhostVDPA
internal import VirtQueue
public import Virtio

/// What a device says when it is opened, and what is agreed with it, in the order of calls that QEMU has.
///
/// Backend features come before any map, as they decide how maps are sent; the owner comes last.
struct DeviceOpening {
    let configuration: BackendConfiguration
    let logger: Logger

    /// Asks, agrees, sets ACKNOWLEDGE and DRIVER, and takes the device into this process's ownership. Returns what it
    /// said, and which backend features are acknowledged.
    func run(
        on device: VhostVDPADevice
    ) throws(BackendError) -> (negotiated: NegotiatedDevice, acknowledged: BackendFeatures) {
        try BackendError.calling("opening the device") { () throws(VhostVDPAError) in
            let deviceID = try device.deviceID()
            let features = try device.features()
            let configurationSize = try device.configurationSize()
            let bytes =
                configurationSize == 0 ? [] : try device.configuration(offset: 0, count: configurationSize)
            let iovaRange = try device.iovaRange()
            let vringCount = try device.vringCount()
            let maximumVringSize = try device.maximumVringSize()
            let groupCount = try device.vringGroupCount()
            let addressSpaceCount = try device.addressSpaceCount()
            let offered = try device.backendFeatures()
            let acknowledged = configuration.acknowledgement(of: offered)
            try device.setBackendFeatures(acknowledged)
            try device.setStatus([.acknowledge, .driver])
            try device.setOwner()
            logger.info(
                "backend features: offered \(offered), acknowledged \(acknowledged); device features: \(features)"
            )
            let negotiated = NegotiatedDevice(
                deviceID: deviceID, deviceFeatures: features, offeredBackendFeatures: offered,
                iovaRange: iovaRange, vringCount: vringCount, maximumVringSize: maximumVringSize,
                groupCount: groupCount, addressSpaceCount: addressSpaceCount, configuration: bytes)
            return (negotiated, acknowledged)
        }
    }
}

/// What a device said when it was opened.
public struct NegotiatedDevice: Hashable, Sendable {
    /// The virtio device type.
    public let deviceID: VirtioDeviceID
    /// The virtio features the device offers.
    public let deviceFeatures: VirtioFeatures
    /// The backend features vhost-vdpa offers for it.
    public let offeredBackendFeatures: BackendFeatures
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

    /// Refuses a start with what the device cannot have, before it is told anything.
    func check(_ features: VirtioFeatures, _ queues: [VringSetup]) throws(BackendError) {
        guard deviceFeatures.isSuperset(of: features) else {
            let missing = features.subtracting(deviceFeatures)
            throw BackendError(.featuresRefused, "the device does not offer the features \(missing)")
        }
        for queue in queues {
            guard queue.index.rawValue < vringCount else {
                throw BackendError(.invalidQueue, "queue \(queue.index): the device has \(vringCount) queues")
            }
            let size = queue.layout.size
            guard size > 0, size <= maximumVringSize,
                size & (size - 1) == 0 || features.contains(.packedRing)
            else {
                throw BackendError(
                    .invalidQueue,
                    "queue \(queue.index) cannot have the size \(size): a power of two up to"
                        + " \(maximumVringSize) is needed")
            }
        }
    }
}
