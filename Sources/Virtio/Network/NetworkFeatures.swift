/// A network device's feature bits (virtio 1.2, section 5.1.3).
extension VirtioFeatures {
    /// The device completes partial checksums of packets it is given.
    @inlinable public static var checksum: Self { Self(rawValue: 1 << 0) }  // VIRTIO_NET_F_CSUM
    /// The driver completes partial checksums of packets it receives.
    @inlinable public static var guestChecksum: Self { Self(rawValue: 1 << 1) }  // VIRTIO_NET_F_GUEST_CSUM
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
    /// There can be more than one queue pair.
    @inlinable public static var multiqueue: Self { Self(rawValue: 1 << 22) }  // VIRTIO_NET_F_MQ
    /// The MAC address can be set through the control queue (VIRTIO_NET_F_CTRL_MAC_ADDR).
    @inlinable public static var controlMACAddress: Self { Self(rawValue: 1 << 23) }
}
