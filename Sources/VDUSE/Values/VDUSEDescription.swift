internal import LinuxHost
package import Virtio

/// What a VDUSE device is made as (VDUSE_CREATE_DEV).
///
/// The kernel wants ACCESS_PLATFORM, and of a network device VERSION_1 and no control queue (`features_is_valid`,
/// drivers/vdpa/vdpa_user/vduse_dev.c). The configuration space is read-only for the driver.
package struct VDUSEDescription: Sendable {
    package let deviceID: VirtioDeviceID
    /// What the device offers.
    package let features: VirtioFeatures
    /// Those of the negotiated features that the data path goes by.
    package let dataPathFeatures: VirtioFeatures
    package let queueCount: Int
    /// The largest ring, in descriptors.
    package let maximumQueueSize: UInt16
    package let configuration: [UInt8]

    package init(
        deviceID: VirtioDeviceID, features: VirtioFeatures, dataPathFeatures: VirtioFeatures, queueCount: Int,
        maximumQueueSize: UInt16, configuration: [UInt8]
    ) {
        self.deviceID = deviceID
        self.features = features
        self.dataPathFeatures = dataPathFeatures
        self.queueCount = queueCount
        self.maximumQueueSize = maximumQueueSize
        self.configuration = configuration
    }

    /// `struct vduse_dev_config`: name 0, vendor 256, device 260, features 264, queues 272, the alignment of their rings
    /// 276, the configuration's size 332 and the configuration.
    func structure(_ name: VDUSEName) -> KernelStructure {
        var structure = KernelStructure(byteCount: 336 + configuration.count)
        structure.set(0, bytes: name.description.utf8)
        structure.set(260, deviceID.rawValue)
        structure.set(264, features.low)
        structure.set(272, UInt32(queueCount))
        structure.set(276, UInt32(HostPage.byteCount))
        structure.set(332, UInt32(configuration.count))
        structure.set(336, bytes: configuration)
        return structure
    }
}
