/// `struct vhost_iotlb_msg`: 32 bytes, of which 26 mean something.
package struct RawIOTLBMessage: Hashable, Sendable {
    package enum Kind {
        package static let update: UInt8 = 2  // VHOST_IOTLB_UPDATE
        package static let invalidate: UInt8 = 3  // VHOST_IOTLB_INVALIDATE
        package static let batchBegin: UInt8 = 5  // VHOST_IOTLB_BATCH_BEGIN
        package static let batchEnd: UInt8 = 6  // VHOST_IOTLB_BATCH_END
    }

    /// The size of the body in bytes.
    package static let byteCount = 32

    package var iova: UInt64
    package var size: UInt64
    package var userAddress: UInt64
    package var permission: UInt8
    /// One of ``Kind``, or whatever the caller wrote.
    package var kind: UInt8
}

extension RawIOTLBMessage {
    /// Reads the body at `offset` of `bytes`, which must hold all of it.
    init(_ bytes: [UInt8], at offset: Int) {
        func word(_ position: Int) -> UInt64 {
            (0..<8).reduce(0) { $0 | UInt64(bytes[offset + position + $1]) << (8 * UInt64($1)) }
        }
        iova = word(0)
        size = word(8)
        userAddress = word(16)
        permission = bytes[offset + 24]
        kind = bytes[offset + 25]
    }
}
