internal import SystemPackage
internal import VhostVDPA
internal import VirtQueue
internal import Virtio

/// A start of a device that is reset, from the features to the kicks: what reaches the device, and in which order.
///
/// Between calls that no rule orders the order is QEMU's. It and Cloud Hypervisor beside it:
///
/// | | call | why here | QEMU 10 | Cloud Hypervisor |
/// |---|---|---|---|---|
/// | 1 | SET_FEATURES, SET_STATUS with FEATURES_OK, GET_STATUS | whether it stays set only the device says (virtio 1.2, 3.1.1) | the same | never sets FEATURES_OK by itself |
/// | 2 | the maps in one batch, if none are kept | before DRIVER_OK: no access may miss | when its memory listener registers, after the queues | apart from a start |
/// | 3 | of each queue NUM, BASE, ADDR, CALL, KICK | parents forget the call in a reset; whether a number is still the same file only the caller knows | NUM BASE ADDR KICK CALL | NUM ADDR BASE CALL KICK |
/// | 4 | SET_CONFIG_CALL | VDUSE forgets it in a reset | the same | the same |
/// | 5 | ENABLE and DRIVER_OK | DRIVER_OK first where ENABLE_AFTER_DRIVER_OK lets it; ADDR before ENABLE, or vdpa_sim's queue is dead | DRIVER_OK first | ENABLE first |
/// | 6 | a kick for every queue | one that came while the queue was off is lost (drivers/vhost/vdpa.c) | — | the guest's own |
struct DeviceStart {
    let device: VhostVDPADevice
    let mapper: MemoryMapper
    /// Whether ENABLE_AFTER_DRIVER_OK is acknowledged.
    let enablesAfterDriverOK: Bool
    let configurationInterrupt: FileDescriptor

    /// Starts it. An error that came once the device could run says so (``BackendError/ringsMayHaveMoved``).
    func run(_ features: VirtioFeatures, _ queues: [VringSetup]) throws(BackendError) {
        let status = try BackendError.calling("negotiating features") { () throws(VhostVDPAError) in
            try device.setFeatures(features)
            try device.setStatus([.acknowledge, .driver, .featuresOK])
            return try device.status()
        }
        guard status.contains(.featuresOK) else {
            throw BackendError(
                .featuresRefused,
                "the device does not accept the features \(features): its status is \(status) without FEATURES_OK"
            )
        }
        if mapper.state.reachesDevice { try mapper.reuse() } else { try mapper.map() }
        try BackendError.calling("setting up the queues") { () throws(VhostVDPAError) in
            for queue in queues { try setUp(queue) }
            try device.setConfigurationInterrupt(configurationInterrupt)
            if !enablesAfterDriverOK { try enable(queues) }
        }
        do throws(BackendError) {
            try BackendError.calling("starting the device") { () throws(VhostVDPAError) in
                // Where it fails the device may have taken it all the same: it can run from here on.
                try device.setStatus([.acknowledge, .driver, .featuresOK, .driverOK])
                if enablesAfterDriverOK { try enable(queues) }
            }
            for queue in queues { try queue.kickDevice() }
        } catch {
            throw error.withRingsMoved
        }
    }

    private func setUp(_ queue: VringSetup) throws(VhostVDPAError) {
        try device.setSize(queue.layout.size, of: queue.index)
        try device.setBase(queue.base, of: queue.index)
        let ring = queue.layout.addresses
        try device.setAddresses(
            descriptors: ring.descriptorArea, avail: ring.driverArea, used: ring.deviceArea, of: queue.index)
        try device.setCall(queue.call, of: queue.index)
        try device.setKick(queue.kick, of: queue.index)
    }

    private func enable(_ queues: [VringSetup]) throws(VhostVDPAError) {
        for queue in queues { try device.setEnabled(true, of: queue.index) }
    }
}
