package import Virtio
package import VirtioDevice
package import VirtioNet

/// `profile=standard`: no control queue, one group of queues, two address spaces, rings up to 1024, any wire.
package struct NetworkCard: DeviceKind {
    private let queuePairs: Int

    /// A card of `queuePairs` pairs of a receive and a transmit queue.
    package init(queuePairs: Int = 1) { self.queuePairs = queuePairs }

    package var deviceID: VirtioDeviceID { .network }
    package var queues: QueueMap { .network(pairs: queuePairs, hasControlQueue: false) }
    package var maximumQueueSize: UInt16 { 1024 }
    package var features: VirtioFeatures {
        [.mtu, .mac, .status, .anyLayout, .indirectDescriptors, .eventIndex, .version1, .accessPlatform]
    }
    package var dataPathFeatures: VirtioFeatures { [.indirectDescriptors, .eventIndex] }
    package var configuration: [UInt8] {
        NetworkConfiguration(mac: .simulated, maximumQueuePairs: UInt16(queuePairs)).bytes
    }
    package var groupCount: Int { 1 }
    package var addressSpaceCount: Int { 2 }
    package func group(ofQueue queue: Int) -> UInt32 { 0 }
    package var takesWire: Bool { true }

    package func makeDataPath(
        name: String, wire: consuming WirePort, report: @escaping @Sendable (DataPathEvent) -> Void
    ) throws -> any DataPath {
        try NetworkDevice(name: name, queuePairs: queuePairs, port: wire, report: report)
    }
}

extension MACAddress {
    /// The address of every simulated network card.
    static var simulated: MACAddress { MACAddress(0x52_54_00_12_34_56) }
}
