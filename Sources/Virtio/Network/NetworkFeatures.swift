/// A network device's feature bits (virtio 1.2, section 5.1.3).
extension VirtioFeatures {
    /// The device completes partial checksums of packets it is given.
    @inlinable public static var checksum: Self { Self(rawValue: 1 << 0) }  // VIRTIO_NET_F_CSUM
    /// The driver completes partial checksums of packets it receives.
    @inlinable public static var guestChecksum: Self { Self(rawValue: 1 << 1) }  // VIRTIO_NET_F_GUEST_CSUM
    /// The driver can change its offloads while it runs (VIRTIO_NET_F_CTRL_GUEST_OFFLOADS).
    @inlinable public static var controlGuestOffloads: Self { Self(rawValue: 1 << 2) }
    /// The configuration space holds the link's MTU.
    @inlinable public static var mtu: Self { Self(rawValue: 1 << 3) }  // VIRTIO_NET_F_MTU
    /// The configuration space holds a MAC address.
    @inlinable public static var mac: Self { Self(rawValue: 1 << 5) }  // VIRTIO_NET_F_MAC
    /// A received packet can span several buffers (VIRTIO_NET_F_MRG_RXBUF).
    @inlinable public static var mergeableReceiveBuffers: Self { Self(rawValue: 1 << 15) }
    /// The configuration space holds the link's state.
    @inlinable public static var status: Self { Self(rawValue: 1 << 16) }  // VIRTIO_NET_F_STATUS
    /// There is a control queue.
    @inlinable public static var controlQueue: Self { Self(rawValue: 1 << 17) }  // VIRTIO_NET_F_CTRL_VQ
    /// What is received can be set: everything, every group (VIRTIO_NET_F_CTRL_RX).
    @inlinable public static var controlReceive: Self { Self(rawValue: 1 << 18) }
    /// VLANs can be filtered.
    @inlinable public static var controlVLAN: Self { Self(rawValue: 1 << 19) }  // VIRTIO_NET_F_CTRL_VLAN
    /// What is not received can be set (VIRTIO_NET_F_CTRL_RX_EXTRA).
    @inlinable public static var controlReceiveExtra: Self { Self(rawValue: 1 << 20) }
    /// The device can ask the driver to announce itself (VIRTIO_NET_F_GUEST_ANNOUNCE).
    @inlinable public static var guestAnnounce: Self { Self(rawValue: 1 << 21) }
    /// There can be more than one queue pair.
    @inlinable public static var multiqueue: Self { Self(rawValue: 1 << 22) }  // VIRTIO_NET_F_MQ
    /// The MAC address can be set through the control queue (VIRTIO_NET_F_CTRL_MAC_ADDR).
    @inlinable public static var controlMACAddress: Self { Self(rawValue: 1 << 23) }
}
