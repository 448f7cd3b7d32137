package import Virtio
package import VirtioDevice
package import VirtioNet

/// `profile=vdpasim-net`: what `vdpasim_net_dev_add` of the kernel's vdpa_sim_net makes. It loops frames back by itself
/// and has a control queue, which is a group of its own.
package struct VdpasimNet: DeviceKind {
    private let hasLinkStatus: Bool

    /// The device of that kernel: 6.1 does not offer the link's status.
    package init(_ kernel: KernelVersion) { hasLinkStatus = kernel.simulatorHasLinkStatus }

    package var deviceID: VirtioDeviceID { .network }
    package var queues: QueueMap { .network(pairs: 1, hasControlQueue: true) }
    package var maximumQueueSize: UInt16 { 256 }
    package var features: VirtioFeatures {
        let always: VirtioFeatures = [
            .mtu, .mac, .controlQueue, .controlMACAddress, .anyLayout, .version1, .accessPlatform,
        ]
        return hasLinkStatus ? always.union(.status) : always
    }
    /// Those that change what it does with a frame; its rings have none.
    package var dataPathFeatures: VirtioFeatures { [.version1, .controlQueue] }
    /// The number of pairs stays at zero: more than one is not offered.
    package var configuration: [UInt8] {
        NetworkConfiguration(mac: .simulated, maximumQueuePairs: 0).bytes
    }
    /// `vdpasim_net_get_config` of the kernel's: whatever a driver has written, the link is up.
    package func refresh(_ configuration: ConfigurationSpace) {
        let up = NetworkConfiguration.LinkStatus.linkUp.rawValue
        configuration.write([UInt8(truncatingIfNeeded: up), UInt8(truncatingIfNeeded: up >> 8)], at: 6)
    }
    package var groupCount: Int { 2 }
    package var addressSpaceCount: Int { 2 }
    package func group(ofQueue queue: Int) -> UInt32 { queues.role(of: queue) == .control ? 1 : 0 }
    package var takesWire: Bool { false }

    /// `vdpasim_vq_reset` makes a vringh of the largest size (VDPASIM_QUEUE_MAX).
    package var sizeAfterReset: UInt16? { maximumQueueSize }

    /// vdpa_sim never does: what its vringh cannot take stays where it is.
    package var asksForReset: Bool { false }

    package func makeDataPath(
        name: String, wire: consuming WirePort, report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws -> any DataPath {
        try VdpasimNetDevice(
            name: name, configuration: ConfigurationSpace(configuration), report: report)
    }
}
