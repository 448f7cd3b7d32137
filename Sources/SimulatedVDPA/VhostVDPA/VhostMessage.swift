internal import GuestMemory
package import SystemPackage
package import VhostVDPA

/// What write() carries to vhost-vdpa: one message, `struct vhost_msg` or `struct vhost_msg_v2`, in the caller's words.
///
/// Only its form has been checked. What it asks for may be anything.
package struct VhostMessage: Hashable, Sendable {
    /// What a message asks for.
    package struct Kind: RawRepresentable, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let update = Kind(rawValue: 2)  // VHOST_IOTLB_UPDATE
        package static let invalidate = Kind(rawValue: 3)  // VHOST_IOTLB_INVALIDATE
        package static let batchBegin = Kind(rawValue: 5)  // VHOST_IOTLB_BATCH_BEGIN
        package static let batchEnd = Kind(rawValue: 6)  // VHOST_IOTLB_BATCH_END
    }

    /// What write() answers: the size of `struct vhost_msg_v2`, however much was written.
    package static let reportedByteCount = 72
    /// The version, the address space or padding, then `struct vhost_iotlb_msg`: 32 bytes, of which 26 mean something.
    private static let byteCount = 40

    /// One of those that the constants name, or whatever the caller wrote.
    package let kind: Kind
    /// 0 where the message cannot carry it.
    package let addressSpace: UInt32
    package let iova: UInt64
    package let size: UInt64
    package let userAddress: UInt64
    package let permission: UInt8

    /// What the device may do with the memory, of the bits that mean something.
    var access: MemoryAccess { MemoryAccess(rawValue: permission).intersection(.readWrite) }
}

extension VhostMessage {
    /// Reads what the caller wrote, in the order of `vhost_chr_write_iter`: EINVAL where it is short, cannot be read, has
    /// neither version or is an UPDATE of nothing. Whose it is has not been asked by then.
    ///
    /// A message of version 1 has no address space, and one of version 2 only where IOTLB_ASID is `acknowledged`.
    package init(
        at address: UInt, byteCount: Int, of process: CallerProcess = .this, acknowledged: BackendFeatures
    ) throws(Errno) {
        try self.init(
            gathering: [CallerPiece(address: address, byteCount: byteCount)], of: process,
            acknowledged: acknowledged)
    }

    /// The same of a message in pieces, one behind the other, as writev(2) carries it.
    init(
        gathering pieces: [CallerPiece], of process: CallerProcess, acknowledged: BackendFeatures
    ) throws(Errno) {
        // No more than one message is asked for, whatever the pieces add up to.
        let byteCount = pieces.reduce(0) { $0 + min($1.byteCount, Self.byteCount) }
        guard byteCount >= Self.byteCount else { throw .invalidArgument }
        var bytes: [UInt8] = []
        for piece in pieces {
            let count = min(piece.byteCount, Self.byteCount - bytes.count)
            guard count > 0 else { continue }
            do throws(Errno) {
                bytes += try process.memory.bytes(at: piece.address, count: count)
            } catch {
                throw .invalidArgument
            }
        }
        switch bytes.integer(UInt32.self, at: 0) {
        case 1: addressSpace = 0  // VHOST_IOTLB_MSG
        case 2:  // VHOST_IOTLB_MSG_V2
            addressSpace = acknowledged.contains(.iotlbASID) ? bytes.integer(UInt32.self, at: 4) : 0
        default: throw .invalidArgument
        }
        iova = bytes.integer(UInt64.self, at: 8)
        size = bytes.integer(UInt64.self, at: 16)
        userAddress = bytes.integer(UInt64.self, at: 24)
        permission = bytes[32]
        kind = Kind(rawValue: bytes[33])
        if kind == .update, size == 0 { throw .invalidArgument }
    }

    /// The INVALIDATE that takes back what another message has left.
    init(invalidating first: UInt64, size: UInt64, addressSpace: UInt32) {
        kind = .invalidate
        self.addressSpace = addressSpace
        iova = first
        self.size = size
        userAddress = 0
        permission = 0
    }
}
