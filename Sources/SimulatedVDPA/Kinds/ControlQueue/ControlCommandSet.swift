internal import Virtio
internal import VirtioDevice

/// The commands that a card's control queue knows (virtio 1.2, section 5.1.6.5).
package enum ControlCommandSet: Sendable {
    /// mlx5's: MAC_ADDR_SET, of an address that is not zero (`mlx5_cvq_kick_handler` in drivers/vdpa/mlx5/net/mlx5_vnet.c).
    /// Without VIRTIO_NET_F_CTRL_VQ the queue rests.
    case mlx5
    /// QEMU's: the address, the modes of reception, tables of addresses and of VLANs (`virtio_net_handle_ctrl_iov` in
    /// hw/net/virtio-net.c of QEMU 7.2). Nothing there asks for VIRTIO_NET_F_CTRL_VQ.
    ///
    /// Modes and tables are taken and change nothing: the card goes on to receive everything, as QEMU's after a reset.
    case qemu

    private static let addressByteCount = 6

    /// Commands are answered after the driver has negotiated VIRTIO_NET_F_CTRL_VQ alone.
    var needsFeature: Bool { self == .mlx5 }

    /// Does the command in `page` and returns its answer. MAC_ADDR_SET changes the address in `configuration`.
    func answer(to page: borrowing PageBuffer, _ configuration: ConfigurationSpace) -> UInt8 {
        guard let command = ControlCommand(page), accepts(command, page) else { return ControlCommand.error }
        if command.commandClass == ControlCommand.macClass, command.number == ControlCommand.setAddress {
            configuration.write(page.address(at: ControlCommand.headerByteCount).octets, at: 0)
        }
        return ControlCommand.ok
    }

    private func accepts(_ command: ControlCommand, _ page: borrowing PageBuffer) -> Bool {
        let count = page.count - ControlCommand.headerByteCount
        switch (self, command.commandClass, command.number) {
        case (.mlx5, ControlCommand.macClass, ControlCommand.setAddress):
            guard count >= Self.addressByteCount else { return false }
            return page.address(at: ControlCommand.headerByteCount).octets.contains { $0 != 0 }
        case (.mlx5, _, _): return false
        case (.qemu, ControlCommand.macClass, ControlCommand.setAddress):
            return count == Self.addressByteCount
        case (.qemu, ControlCommand.macClass, ControlCommand.setTables): return Self.hasTwoTables(page)
        // A mode is on or off, in a byte: promiscuous, all groups, all addresses, no groups, no addresses, no broadcasts.
        case (.qemu, ControlCommand.receiveClass, 0...5): return count >= 1
        case (.qemu, ControlCommand.vlanClass, 0...1):
            guard count >= 2 else { return false }
            return Self.number(page, ControlCommand.headerByteCount, 2) < ControlCommand.vlanCount
        case (.qemu, _, _): return false
        }
    }

    /// A table of addresses and another one, each behind its length, and nothing behind them.
    private static func hasTwoTables(_ page: borrowing PageBuffer) -> Bool {
        var place = ControlCommand.headerByteCount
        for _ in 0..<2 {
            guard page.count - place >= 4 else { return false }
            let entries = number(page, place, 4)
            place += 4
            guard entries <= (page.count - place) / addressByteCount else { return false }
            place += entries * addressByteCount
        }
        return place == page.count
    }

    /// `count` bytes at `offset`, little endian; they must be there.
    private static func number(_ page: borrowing PageBuffer, _ offset: Int, _ count: Int) -> Int {
        (0..<count).reversed().reduce(0) { $0 << 8 | Int(page[offset + $1]) }
    }
}
