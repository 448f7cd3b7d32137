/// The header of a command to a network device, `struct virtio_net_ctrl_hdr`, and the values that the simulated devices with
/// a control queue know (virtio 1.2, section 5.1.6.5).
struct ControlCommand {
    static let headerByteCount = 2
    static let macClass: UInt8 = 1  // VIRTIO_NET_CTRL_MAC
    static let setTables: UInt8 = 0  // VIRTIO_NET_CTRL_MAC_TABLE_SET
    static let setAddress: UInt8 = 1  // VIRTIO_NET_CTRL_MAC_ADDR_SET
    static let receiveClass: UInt8 = 0  // VIRTIO_NET_CTRL_RX
    static let vlanClass: UInt8 = 2  // VIRTIO_NET_CTRL_VLAN
    static let vlanCount = 1 << 12
    static let ok: UInt8 = 0  // VIRTIO_NET_OK
    static let error: UInt8 = 1  // VIRTIO_NET_ERR

    let commandClass: UInt8
    let number: UInt8

    /// Reads the header of a command; `nil` where it is not there.
    init?(_ frame: borrowing PageBuffer) {
        guard frame.count >= Self.headerByteCount else { return nil }
        commandClass = frame[0]
        number = frame[1]
    }
}
