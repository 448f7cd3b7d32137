internal import Virtio
internal import VirtioDevice

/// The configuration space as QEMU's virtio-net has it (`virtio_config_modern_writeb` of hw/virtio/virtio-config-io.c,
/// `virtio_net_set_config` of hw/net/virtio-net.c).
///
/// A write goes to a copy, byte by byte, and the device takes the address that then stands in the copy, unless the driver
/// has features by which it sets the address otherwise. Whoever reads has the copy made anew. A reset brings the device's
/// own address back and leaves the copy: what was written and not taken comes with the next write that is.
final class QEMURegisters: ConfigurationRegisters {
    private static let addressByteCount = 6

    private let space: ConfigurationSpace
    private let byteCount: Int
    private let initial: [UInt8]
    private var copy: [UInt8]

    /// The registers of `space`, which has its first `byteCount` bytes; the others read as ones.
    init(_ space: ConfigurationSpace, byteCount: Int) {
        self.space = space
        self.byteCount = byteCount
        initial = space.read(at: 0, count: byteCount)
        copy = initial
    }

    func read(at offset: Int, count: Int) -> [UInt8] {
        if offset < byteCount { copy = space.read(at: 0, count: byteCount) }
        return (offset..<offset + count).map { $0 < byteCount ? copy[$0] : .max }
    }

    func write(_ bytes: [UInt8], at offset: Int, features: VirtioFeatures) {
        let isTaken = features.isDisjoint(with: [.version1, .controlMACAddress])
        for (place, byte) in zip(offset..., bytes) where place < byteCount {
            copy[place] = byte
            if isTaken { space.write(Array(copy.prefix(Self.addressByteCount)), at: 0) }
        }
    }

    func reset() { space.write(initial, at: 0) }
}
