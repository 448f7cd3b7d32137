package import Virtio
package import VirtioNet

/// What kind of network card a simulated device is: features, limits, configuration.
package struct NetworkDeviceProfile: Hashable, Sendable {
    /// Receive and transmit queues come in pairs.
    package var queuePairs: Int
    /// The largest ring, in descriptors.
    package var maximumQueueSize: UInt16
    package var features: VirtioFeatures
    /// The hardware address.
    package var mac: MACAddress
    package var mtu: UInt16
    package var groupCount: Int
    package var addressSpaceCount: Int
    /// The device loops frames back by itself, as vdpa_sim_net does, and has no wire.
    package var isSimulator = false

    /// The virtqueues: the pairs, then the control queue where there is one.
    package var queues: QueueMap {
        .network(pairs: queuePairs, hasControlQueue: features.contains(.controlQueue))
    }

    /// The group of a queue: a control queue is apart from the data queues where there is a second group.
    package func group(ofQueue queue: Int) -> UInt32 {
        queues.role(of: queue) == .control && groupCount > 1 ? 1 : 0
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
            mac: MACAddress(0x5254_0012_3456), mtu: 1500, groupCount: 1, addressSpaceCount: 2)
    }

    /// `profile=vdpasim-net`: what `vdpasim_net_dev_add` makes. 6.1 does not offer the link's status.
    package static func vdpasimNet(_ kernel: KernelVersion) -> NetworkDeviceProfile {
        var features: VirtioFeatures = [
            .mtu, .mac, .controlQueue, .controlMACAddress, .anyLayout, .version1, .accessPlatform,
        ]
        if kernel.simulatorHasLinkStatus { features.insert(.status) }
        return NetworkDeviceProfile(
            queuePairs: 1, maximumQueueSize: 256, features: features,
            mac: MACAddress(0x5254_0012_3456), mtu: 1500, groupCount: 2, addressSpaceCount: 2,
            isSimulator: true)
    }

    /// The configuration space at creation (virtio 1.2, section 5.1.4): mac, link up, pairs, MTU.
    package var configuration: [UInt8] {
        NetworkConfiguration(
            mac: mac, mtu: mtu,
            // vdpa_sim_net leaves the number of pairs at zero: it does not offer more than one.
            maximumQueuePairs: isSimulator ? 0 : UInt16(queuePairs)
        ).bytes
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
