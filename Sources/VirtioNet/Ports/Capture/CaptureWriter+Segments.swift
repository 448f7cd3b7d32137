internal import VirtQueue

extension CaptureWriter {
    /// Records a frame of `byteCount` bytes, header included, from `count` segments of a chain, the first of which is
    /// segment `start`, and which hold `held` bytes of it.
    @inline(__always)
    mutating func record(
        _ direction: Direction, _ start: Int, count: Int, of segments: borrowing SegmentBuffer,
        byteCount: UInt32, held: UInt32
    ) {
        unsafe record(
            direction, segments.base + start, count: count, byteCount: Int(byteCount), held: Int(held))
    }
}
