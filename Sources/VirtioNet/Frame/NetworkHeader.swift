/// The header before every frame: `struct virtio_net_hdr_v1`, 12 bytes, little endian (virtio 1.2, 5.1.6).
///
/// Offsets: flags 0, gso_type 1, hdr_len 2, gso_size 4, csum_start 6, csum_offset 8, num_buffers 10.
package struct NetworkHeader: Equatable, Sendable {
    /// `VIRTIO_NET_HDR_F_*`.
    package var flags: UInt8
    /// `VIRTIO_NET_HDR_GSO_*`; 0 is a whole frame.
    package var segmentationType: UInt8
    /// Bytes of headers before the data to be segmented.
    package var headerLength: UInt16
    /// Bytes of data per segment.
    package var segmentSize: UInt16
    /// Where checksumming starts, from the frame's beginning.
    package var checksumStart: UInt16
    /// Where the checksum goes, from `checksumStart`.
    package var checksumOffset: UInt16
    /// Receive only: chains that the frame fills. 1 without MRG_RXBUF, but set (5.1.6.3.2).
    package var bufferCount: UInt16

    /// Bytes that the header takes: VERSION_1 always has the `num_buffers` field.
    @inlinable package static var byteCount: Int { 12 }
    /// The most bytes that a frame can have, header included: 65,550 behind the header (virtio 1.2, section 5.1.6.3.1).
    @inlinable package static var longestFrameByteCount: Int { byteCount + 65_550 }
    /// Where `num_buffers` stands.
    @inlinable package static var bufferCountOffset: Int { 10 }

    /// `VIRTIO_NET_HDR_F_NEEDS_CSUM`.
    @inlinable package static var needsChecksum: UInt8 { 1 }
    /// `VIRTIO_NET_HDR_F_DATA_VALID`.
    @inlinable package static var dataValid: UInt8 { 2 }

    /// A header that asks for nothing.
    @inlinable
    package init(bufferCount: UInt16 = 0) {
        flags = 0
        segmentationType = 0
        headerLength = 0
        segmentSize = 0
        checksumStart = 0
        checksumOffset = 0
        self.bufferCount = bufferCount
    }

    /// Reads a header, each byte once. `nil` where there are fewer than 12.
    @inlinable
    package init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= NetworkHeader.byteCount else { return nil }
        let low = UInt64(littleEndian: unsafe bytes.loadUnaligned(as: UInt64.self))
        let high = UInt32(littleEndian: unsafe bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        flags = UInt8(truncatingIfNeeded: low)
        segmentationType = UInt8(truncatingIfNeeded: low >> 8)
        headerLength = UInt16(truncatingIfNeeded: low >> 16)
        segmentSize = UInt16(truncatingIfNeeded: low >> 32)
        checksumStart = UInt16(truncatingIfNeeded: low >> 48)
        checksumOffset = UInt16(truncatingIfNeeded: high)
        bufferCount = UInt16(truncatingIfNeeded: high >> 16)
    }

    /// Writes the 12 bytes to the start of `bytes`.
    ///
    /// - Precondition: `bytes` has room for them.
    @inlinable
    package func write(into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count >= NetworkHeader.byteCount, "a header takes 12 bytes")
        let low =
            UInt64(flags) | UInt64(segmentationType) << 8 | UInt64(headerLength) << 16
            | UInt64(segmentSize) << 32 | UInt64(checksumStart) << 48
        let high = UInt32(checksumOffset) | UInt32(bufferCount) << 16
        unsafe bytes.storeBytes(of: low.littleEndian, as: UInt64.self)
        unsafe bytes.storeBytes(of: high.littleEndian, toByteOffset: 8, as: UInt32.self)
    }
}
