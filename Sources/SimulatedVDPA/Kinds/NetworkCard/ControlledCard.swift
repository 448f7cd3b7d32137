package import Virtio
package import VirtioDevice
package import VirtioNet

/// A network card with a control queue, by which its driver changes its address: `profile=standard` behind
/// `parent=mlx5`. It has pairs like ``NetworkCard``'s, and the control queue behind the last of them.
///
/// The control queue is a group of its own, and the data queues' rings may have another address space than their buffers
/// (`mlx5_vdpa.h`).
///
/// VIRTIO_NET_F_MQ is not offered yet, so no driver asks for pairs: all of them run, and the control queue is always
/// where mlx5 has it with that feature.
package struct ControlledCard: DeviceKind {
    /// `MLX5_VDPA_DATAVQ_GROUP`, `MLX5_VDPA_CVQ_GROUP` and `MLX5_VDPA_DATAVQ_DESC_GROUP`.
    private static let (dataGroup, controlGroup, descriptorGroup) = (UInt32(0), UInt32(1), UInt32(2))

    private let queuePairs: Int

    /// A card of `queuePairs` pairs of a receive and a transmit queue.
    package init(queuePairs: Int) { self.queuePairs = queuePairs }

    package var deviceID: VirtioDeviceID { .network }
    package var queues: QueueMap { .network(pairs: queuePairs, hasControlQueue: true) }
    /// `MLX5_VDPA_MAX_VQ_ENTRIES`.
    package var maximumQueueSize: UInt16 { 256 }
    /// `get_supported_features`, without what depends on the firmware, VLANs and several pairs.
    package var features: VirtioFeatures {
        [.mtu, .mac, .status, .controlQueue, .controlMACAddress, .version1, .accessPlatform]
    }
    package var dataPathFeatures: VirtioFeatures { [.controlQueue] }
    package var configuration: [UInt8] {
        NetworkConfiguration(mac: .simulated, maximumQueuePairs: UInt16(queuePairs)).bytes
    }
    package var groupCount: Int { 3 }
    package var addressSpaceCount: Int { 2 }
    package func group(ofQueue queue: Int) -> UInt32 {
        queues.role(of: queue) == .control ? Self.controlGroup : Self.dataGroup
    }
    package func descriptorGroup(ofQueue queue: Int) -> UInt32 {
        queues.role(of: queue) == .control ? Self.controlGroup : Self.descriptorGroup
    }
    package var takesWire: Bool { true }

    package func makeDataPath(
        name: String, wire: consuming WirePort, report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws -> any DataPath {
        try ControlledDevice(
            name: name, queuePairs: queuePairs, port: wire, commands: .mlx5,
            configuration: ConfigurationSpace(configuration), report: report)
    }
}
