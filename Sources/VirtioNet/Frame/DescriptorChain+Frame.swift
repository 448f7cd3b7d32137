internal import VirtQueue

extension DescriptorChain {
    /// Whether a transmit chain holds what can be a frame. What is longer than any is never copied.
    @inline(__always)
    var isFrame: Bool {
        readableBytes > UInt32(NetworkHeader.byteCount)
            && readableBytes <= UInt32(NetworkHeader.longestFrameByteCount)
    }
}
