/// A virtio device's feature bits (virtio 1.2, sections 5.1.3 and 6): a network device's, and the transport's.
public struct DeviceFeatures: OptionSet, Hashable, Sendable {
    /// The number itself.
    public let rawValue: UInt64

    /// Makes a value of its number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The device completes partial checksums of packets it is given.
    public static let checksum = DeviceFeatures(rawValue: 1 << 0)  // VIRTIO_NET_F_CSUM
    /// The driver completes partial checksums of packets it receives.
    public static let guestChecksum = DeviceFeatures(rawValue: 1 << 1)  // VIRTIO_NET_F_GUEST_CSUM
    /// The configuration space holds the link's MTU.
    public static let mtu = DeviceFeatures(rawValue: 1 << 3)  // VIRTIO_NET_F_MTU
    /// The configuration space holds a MAC address.
    public static let mac = DeviceFeatures(rawValue: 1 << 5)  // VIRTIO_NET_F_MAC
    /// A received packet can span several buffers.
    public static let mergeableReceiveBuffers = DeviceFeatures(rawValue: 1 << 15)  // VIRTIO_NET_F_MRG_RXBUF
    /// The configuration space holds the link's state.
    public static let status = DeviceFeatures(rawValue: 1 << 16)  // VIRTIO_NET_F_STATUS
    /// There is a control queue.
    public static let controlQueue = DeviceFeatures(rawValue: 1 << 17)  // VIRTIO_NET_F_CTRL_VQ
    /// There can be more than one queue pair.
    public static let multiqueue = DeviceFeatures(rawValue: 1 << 22)  // VIRTIO_NET_F_MQ
    /// The MAC address can be set through the control queue.
    public static let controlMACAddress = DeviceFeatures(rawValue: 1 << 23)  // VIRTIO_NET_F_CTRL_MAC_ADDR
    /// Buffers can be cut anywhere.
    public static let anyLayout = DeviceFeatures(rawValue: 1 << 27)  // VIRTIO_F_ANY_LAYOUT
    /// A descriptor can point to a table of descriptors.
    public static let indirectDescriptors = DeviceFeatures(rawValue: 1 << 28)  // VIRTIO_F_INDIRECT_DESC
    /// Notifications are suppressed by index.
    public static let eventIndex = DeviceFeatures(rawValue: 1 << 29)  // VIRTIO_F_EVENT_IDX
    /// A device of virtio 1.0 or later.
    public static let version1 = DeviceFeatures(rawValue: 1 << 32)  // VIRTIO_F_VERSION_1
    /// Addresses go through the platform's translation. vDPA demands it.
    public static let accessPlatform = DeviceFeatures(rawValue: 1 << 33)  // VIRTIO_F_ACCESS_PLATFORM
    /// Packed rings.
    public static let packedRing = DeviceFeatures(rawValue: 1 << 34)  // VIRTIO_F_RING_PACKED
    /// Buffers are used in the order they were made available.
    public static let inOrder = DeviceFeatures(rawValue: 1 << 35)  // VIRTIO_F_IN_ORDER
    /// Memory accesses are ordered as the platform orders DMA.
    public static let orderPlatform = DeviceFeatures(rawValue: 1 << 36)  // VIRTIO_F_ORDER_PLATFORM
    /// A kick carries the avail position.
    public static let notificationData = DeviceFeatures(rawValue: 1 << 38)  // VIRTIO_F_NOTIFICATION_DATA
    /// Queues can be reset one by one.
    public static let ringReset = DeviceFeatures(rawValue: 1 << 40)  // VIRTIO_F_RING_RESET
}

extension DeviceFeatures: CustomStringConvertible {
    /// The number and the names of its bits, a network device's where the number alone leaves it open.
    public var description: String {
        describeBits(
            rawValue,
            names: [
                0: "CSUM", 1: "GUEST_CSUM", 3: "MTU", 5: "MAC", 7: "GUEST_TSO4", 8: "GUEST_TSO6",
                9: "GUEST_ECN",
                10: "GUEST_UFO", 11: "HOST_TSO4", 12: "HOST_TSO6", 13: "HOST_ECN", 14: "HOST_UFO",
                15: "MRG_RXBUF", 16: "STATUS", 17: "CTRL_VQ", 18: "CTRL_RX", 19: "CTRL_VLAN",
                21: "GUEST_ANNOUNCE", 22: "MQ", 23: "CTRL_MAC_ADDR", 24: "NOTIFY_ON_EMPTY", 27: "ANY_LAYOUT",
                28: "INDIRECT_DESC", 29: "EVENT_IDX", 32: "VERSION_1", 33: "ACCESS_PLATFORM",
                34: "RING_PACKED", 35: "IN_ORDER", 36: "ORDER_PLATFORM", 37: "SR_IOV",
                38: "NOTIFICATION_DATA", 40: "RING_RESET", 56: "HASH_REPORT", 57: "RSS",
            ])
    }
}
