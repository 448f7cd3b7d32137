/// The device's configuration space: `struct virtio_net_config` as Linux 6.1 has it, 24 bytes, little endian
/// (virtio 1.2, 5.1.4).
///
/// Offsets: mac 0, status 6, max_virtqueue_pairs 8, mtu 10, speed 12, duplex 16, rss_max_key_size 17,
/// rss_max_indirection_table_length 18, supported_hash_types 20. Which fields mean anything is said by the
/// features; the others are present and zero.
public struct NetworkConfiguration: Equatable, Sendable {
    /// The device's address. With VIRTIO_NET_F_MAC.
    public var mac: MACAddress
    /// Link state and announcements. With VIRTIO_NET_F_STATUS.
    public var status: LinkStatus
    /// Most queue pairs. With VIRTIO_NET_F_MQ.
    public var maximumQueuePairs: UInt16
    /// The largest frame without its Ethernet header, in bytes. With VIRTIO_NET_F_MTU.
    public var mtu: UInt16
    /// Megabits per second, or ``unknownSpeed``.
    public var speed: UInt32
    /// 0 half, 1 full, or ``unknownDuplex``.
    public var duplex: UInt8
    /// Bytes of an RSS key.
    public var maximumHashKeySize: UInt8
    /// Entries of an RSS table.
    public var maximumIndirectionTableLength: UInt16
    /// Hashes the device computes.
    public var supportedHashTypes: UInt32

    /// The link as the device shows it: `VIRTIO_NET_S_*`.
    public struct LinkStatus: OptionSet, Sendable {
        /// The number itself.
        public let rawValue: UInt16

        /// Makes a value of its number.
        public init(rawValue: UInt16) {
            self.rawValue = rawValue
        }

        /// The link is up.
        public static let linkUp = LinkStatus(rawValue: 1)  // VIRTIO_NET_S_LINK_UP
        /// The driver should announce itself.
        public static let announce = LinkStatus(rawValue: 2)  // VIRTIO_NET_S_ANNOUNCE
    }

    /// Bytes of the space.
    public static let byteCount = 24
    /// A speed nobody knows.
    public static let unknownSpeed: UInt32 = 0xffff_ffff
    /// A duplex nobody knows.
    public static let unknownDuplex: UInt8 = 0xff

    /// The least and the most a driver accepts of a device that offers an MTU (virtio 1.2, 5.1.4.1).
    public static let validMTU: ClosedRange<UInt16> = 68...65535

    /// A device of one queue pair.
    public init(
        mac: MACAddress, mtu: UInt16 = 1500, status: LinkStatus = .linkUp, maximumQueuePairs: UInt16 = 1
    ) {
        self.mac = mac
        self.status = status
        self.maximumQueuePairs = maximumQueuePairs
        self.mtu = mtu
        speed = 0
        duplex = 0
        maximumHashKeySize = 0
        maximumIndirectionTableLength = 0
        supportedHashTypes = 0
    }

    /// Reads a configuration. A device may offer a shorter space than ``byteCount``: what is missing is zero;
    /// `nil` where not even the address is there. Bytes beyond are ignored.
    public init?(bytes: [UInt8]) {
        guard bytes.count >= 6 else { return nil }
        func little<T: FixedWidthInteger>(_ offset: Int, _: T.Type = T.self) -> T {
            guard offset + MemoryLayout<T>.size <= bytes.count else { return 0 }
            return bytes[offset..<offset + MemoryLayout<T>.size].reversed().reduce(0) { $0 << 8 | T($1) }
        }
        mac = MACAddress(octets: bytes[0..<6])
        status = LinkStatus(rawValue: little(6))
        maximumQueuePairs = little(8)
        mtu = little(10)
        speed = little(12)
        duplex = little(16)
        maximumHashKeySize = little(17)
        maximumIndirectionTableLength = little(18)
        supportedHashTypes = little(20)
    }

    /// The 24 bytes.
    public var bytes: [UInt8] {
        func little(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
            (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
        }
        return mac.octets + little(status.rawValue) + little(maximumQueuePairs) + little(mtu) + little(speed)
            + [duplex, maximumHashKeySize] + little(maximumIndirectionTableLength)
            + little(supportedHashTypes)
    }
}
