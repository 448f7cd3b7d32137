package import Virtio
package import VirtioNet

/// What kind of network card a simulated device is: features, limits, configuration.
package struct NetworkDeviceProfile: Hashable, Sendable {
    /// Receive and transmit queues come in pairs: queue 2n receives, 2n+1 transmits.
    package var queuePairs: Int
    /// The largest ring, in descriptors.
    package var maximumQueueSize: UInt16
    package var features: VirtioFeatures
    /// The hardware address, six bytes.
    package var mac: [UInt8]
    package var mtu: UInt16
    package var groupCount: Int
    package var addressSpaceCount: Int
    /// The device loops frames back by itself, as vdpa_sim_net does, and has no wire.
    package var isSimulator = false

    /// The number of virtqueues: the pairs, then the control queue where there is one.
    package var queueCount: Int { 2 * queuePairs + (features.contains(.controlQueue) ? 1 : 0) }

    /// The group of a queue: a control queue is apart from the data queues where there is a second group.
    package func group(ofQueue queue: Int) -> UInt32 {
        queue >= 2 * queuePairs && groupCount > 1 ? 1 : 0
    }

    /// The negotiated features that the data path goes by: those of rings, and of a simulator those that change what
    /// it does with a frame.
    package var dataPathFeatures: VirtioFeatures {
        isSimulator ? [.version1, .controlQueue] : [.indirectDescriptors, .eventIndex]
    }

    /// What stands at the far end of the device's wire where the device settles that; `nil` where anything may.
    package func ownPort() -> WirePort? {
        isSimulator ? .simulator(ConfigurationSpace(configuration)) : nil
    }

    /// `sim`: no control queue, one group of queues, two address spaces, rings up to 1024.
    package static func standard(queuePairs: Int = 1) -> NetworkDeviceProfile {
        NetworkDeviceProfile(
            queuePairs: queuePairs, maximumQueueSize: 1024,
            features: [
                .mtu, .mac, .status, .anyLayout, .indirectDescriptors, .eventIndex, .version1,
                .accessPlatform,
            ],
            mac: [0x52, 0x54, 0x00, 0x12, 0x34, 0x56], mtu: 1500, groupCount: 1, addressSpaceCount: 2)
    }

    /// `profile=vdpasim-net`: what `vdpasim_net_dev_add` makes. 6.1 does not offer the link's status.
    package static func vdpasimNet(_ kernel: KernelVersion) -> NetworkDeviceProfile {
        var features: VirtioFeatures = [
            .mtu, .mac, .controlQueue, .controlMACAddress, .anyLayout, .version1, .accessPlatform,
        ]
        if kernel.simulatorHasLinkStatus { features.insert(.status) }
        return NetworkDeviceProfile(
            queuePairs: 1, maximumQueueSize: 256, features: features,
            mac: [0x52, 0x54, 0x00, 0x12, 0x34, 0x56], mtu: 1500, groupCount: 2, addressSpaceCount: 2,
            isSimulator: true)
    }

    /// The size of the configuration space, `struct virtio_net_config` of Linux, in bytes.
    package static let configurationSize = 24

    /// The configuration space at creation (virtio 1.2, section 5.1.4): mac, link up, pairs, MTU.
    package var configuration: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.configurationSize)
        func put(_ value: UInt16, at offset: Int) {
            bytes[offset] = UInt8(truncatingIfNeeded: value)
            bytes[offset + 1] = UInt8(truncatingIfNeeded: value >> 8)
        }
        bytes.replaceSubrange(0..<6, with: mac)
        put(1, at: 6)  // VIRTIO_NET_S_LINK_UP
        // vdpa_sim_net leaves the number of pairs at zero: it does not offer more than one.
        if !isSimulator { put(UInt16(queuePairs), at: 8) }
        put(mtu, at: 10)
        return bytes
    }
}

extension NetworkDeviceProfile {
    /// The card that a specification asks for.
    init(_ specification: SimulatedDeviceSpecification) {
        switch specification.profile {
        case .standard: self = .standard(queuePairs: specification.queuePairs)
        case .vdpasimNet: self = .vdpasimNet(specification.kernel)
        }
    }
}
