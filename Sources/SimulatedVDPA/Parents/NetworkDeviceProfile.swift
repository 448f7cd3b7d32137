package import VhostVDPA

/// What kind of network card a simulated device is: features, limits, configuration.
package struct NetworkDeviceProfile: Hashable, Sendable {
    /// Receive and transmit queues come in pairs: queue 2n receives, 2n+1 transmits.
    package var queuePairs: Int
    /// The largest ring, in descriptors.
    package var maximumQueueSize: UInt16
    package var features: DeviceFeatures
    /// The hardware address, six bytes.
    package var mac: [UInt8]
    package var mtu: UInt16
    package var groupCount: Int
    package var addressSpaceCount: Int

    /// The number of virtqueues.
    package var queueCount: Int { 2 * queuePairs }

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
        put(UInt16(queuePairs), at: 8)
        put(mtu, at: 10)
        return bytes
    }
}
