/// A virtio device's feature bits (virtio 1.2, sections 2.2 and 6): here the transport's and the rings', in
/// NetworkFeatures.swift a network device's.
public struct VirtioFeatures: OptionSet, Hashable, Sendable {
    /// The number itself. 128 bits: a network device's UDP tunnel offloads stand at 65 to 68.
    public let rawValue: UInt128

    /// Makes a value of its number.
    @inlinable public init(rawValue: UInt128) { self.rawValue = rawValue }

    /// The lowest 64 bits of features: what VHOST_GET_FEATURES and VHOST_SET_FEATURES carry.
    @inlinable public init(low: UInt64) { rawValue = UInt128(low) }

    /// The lowest 64 bits.
    @inlinable public var low: UInt64 { UInt64(truncatingIfNeeded: rawValue) }

    /// Buffers can be cut anywhere.
    @inlinable public static var anyLayout: Self { Self(rawValue: 1 << 27) }  // VIRTIO_F_ANY_LAYOUT
    /// A descriptor can point to a table of descriptors (VIRTIO_F_INDIRECT_DESC).
    @inlinable public static var indirectDescriptors: Self { Self(rawValue: 1 << 28) }
    /// Notifications are suppressed by index.
    @inlinable public static var eventIndex: Self { Self(rawValue: 1 << 29) }  // VIRTIO_F_EVENT_IDX
    /// A device of virtio 1.0 or later.
    @inlinable public static var version1: Self { Self(rawValue: 1 << 32) }  // VIRTIO_F_VERSION_1
    /// Addresses go through the platform's translation. vDPA demands it.
    @inlinable public static var accessPlatform: Self { Self(rawValue: 1 << 33) }  // VIRTIO_F_ACCESS_PLATFORM
    /// Packed rings.
    @inlinable public static var packedRing: Self { Self(rawValue: 1 << 34) }  // VIRTIO_F_RING_PACKED
    /// Buffers are used in the order they were made available.
    @inlinable public static var inOrder: Self { Self(rawValue: 1 << 35) }  // VIRTIO_F_IN_ORDER
    /// Memory accesses are ordered as the platform orders DMA.
    @inlinable public static var orderPlatform: Self { Self(rawValue: 1 << 36) }  // VIRTIO_F_ORDER_PLATFORM
    /// A kick carries the avail position (VIRTIO_F_NOTIFICATION_DATA).
    @inlinable public static var notificationData: Self { Self(rawValue: 1 << 38) }
    /// Queues can be reset one by one.
    @inlinable public static var ringReset: Self { Self(rawValue: 1 << 40) }  // VIRTIO_F_RING_RESET
}

extension VirtioFeatures: CustomStringConvertible {
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
                65: "GUEST_UDP_TUNNEL_GSO", 66: "GUEST_UDP_TUNNEL_GSO_CSUM", 67: "HOST_UDP_TUNNEL_GSO",
                68: "HOST_UDP_TUNNEL_GSO_CSUM",
            ])
    }
}
