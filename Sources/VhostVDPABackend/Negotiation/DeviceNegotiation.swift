internal import Logging
internal import VhostVDPA

/// What is agreed with a device when it is opened, in the order of calls that QEMU has.
///
/// Backend features come before any map, as they decide how maps are sent; the owner comes last.
struct DeviceNegotiation {
    let configuration: BackendConfiguration
    let logger: Logger

    /// Asks, agrees, sets ACKNOWLEDGE and DRIVER, and takes the device into this process's ownership.
    func run(on device: VhostVDPADevice) throws(BackendError) -> NegotiatedDevice {
        do throws(VhostVDPAError) {
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
            return NegotiatedDevice(
                deviceID: deviceID, deviceFeatures: features, offeredBackendFeatures: offered,
                acknowledgedBackendFeatures: acknowledged, iovaRange: iovaRange, vringCount: vringCount,
                maximumVringSize: maximumVringSize, groupCount: groupCount,
                addressSpaceCount: addressSpaceCount, configuration: bytes)
        } catch {
            throw BackendError("opening the device", error)
        }
    }
}
