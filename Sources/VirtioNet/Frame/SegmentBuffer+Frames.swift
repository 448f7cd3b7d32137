internal import CIOUring
internal import Glibc
internal import VirtQueue

extension SegmentBuffer {
    /// Copies the first `byteCount` bytes that the driver made readable in one chain into another one's writable
    /// part. Both must be that long.
    @inline(__always)
    mutating func copy(_ byteCount: UInt32, from source: DescriptorChain, to target: DescriptorChain) {
        copy(byteCount, fromSegment: source.readableStart, to: target)
    }

    /// Copies the first `byteCount` bytes that the device has written into one chain into another one. Both must be
    /// that long.
    mutating func copy(_ byteCount: UInt32, fromWritten source: DescriptorChain, to target: DescriptorChain) {
        copy(byteCount, fromSegment: source.writableStart, to: target)
    }

    @inline(__always)
    private mutating func copy(_ byteCount: UInt32, fromSegment start: Int, to target: DescriptorChain) {
        let sourceSegments = unsafe base + start
        let targetSegments = unsafe base + target.writableStart
        if unsafe sourceSegments.pointee.iov_len >= Int(byteCount),
            unsafe targetSegments.pointee.iov_len >= Int(byteCount)
        {
            unsafe memcpy(targetSegments.pointee.iov_base, sourceSegments.pointee.iov_base, Int(byteCount))
            return
        }
        unsafe scatter(Int(byteCount), from: sourceSegments, to: targetSegments)
    }

    /// The general copy, where either side has several segments.
    private func scatter(
        _ byteCount: Int, from source: UnsafeMutablePointer<iovec>, to target: UnsafeMutablePointer<iovec>
    ) {
        var (source, target) = unsafe (source, target)
        var (sourceOffset, targetOffset, left) = (0, 0, byteCount)
        while left > 0 {
            let step = unsafe min(
                left, source.pointee.iov_len - sourceOffset, target.pointee.iov_len - targetOffset)
            unsafe memcpy(
                target.pointee.iov_base + targetOffset, source.pointee.iov_base + sourceOffset, step)
            left -= step
            sourceOffset += step
            targetOffset += step
            if unsafe sourceOffset == source.pointee.iov_len { unsafe source += 1; sourceOffset = 0 }
            if unsafe targetOffset == target.pointee.iov_len { unsafe target += 1; targetOffset = 0 }
        }
    }

    /// Writes the header of a received frame: no offload, one buffer (virtio 1.2, section 5.1.6).
    ///
    /// The transmitter's header never reaches the receiver: without offloads negotiated it says nothing.
    @inline(__always)
    mutating func writeReceiveHeader(of chain: DescriptorChain) {
        let first = unsafe base[chain.writableStart]
        if unsafe first.iov_len >= NetworkHeader.byteCount {
            unsafe NetworkHeader(bufferCount: 1).write(
                into: UnsafeMutableRawBufferPointer(start: first.iov_base, count: NetworkHeader.byteCount))
        } else {
            writeReceiveHeaderBytewise(of: chain)
        }
    }

    /// The header of a chain whose first segment is shorter than it.
    private func writeReceiveHeaderBytewise(of chain: DescriptorChain) {
        var segment = unsafe base + chain.writableStart
        var offset = 0
        for index in 0..<NetworkHeader.byteCount {
            while unsafe offset == segment.pointee.iov_len {
                unsafe segment += 1
                offset = 0
            }
            let value: UInt8 = index == NetworkHeader.bufferCountOffset ? 1 : 0
            unsafe segment.pointee.iov_base.storeBytes(of: value, toByteOffset: offset, as: UInt8.self)
            offset += 1
        }
    }
}
