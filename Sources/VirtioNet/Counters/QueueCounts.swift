/// What one queue has done so far, as a plain value.
package struct QueueCounts: Equatable, Sendable {
    /// Frames moved, and their bytes without the virtio header.
    package var packets: UInt64 = 0
    package var bytes: UInt64 = 0
    /// Frames the device gave up for want of room: no receive buffer, one too short, or a port that is full.
    package var drops: UInt64 = 0
    /// Doorbells received and interrupts sent (device side), or the reverse (driver side).
    package var kicks: UInt64 = 0
    package var calls: UInt64 = 0
    /// Chains or rings that broke a rule, and ports that refused a frame. On the driver's receive queue that is every
    /// chain too that the device returned without a frame in it.
    package var errors: UInt64 = 0
    /// Accesses the IOTLB did not permit.
    package var faults: UInt64 = 0

    package init() {}

    /// Counts `frames` that have `byteCount` bytes together, virtio headers included.
    mutating func move(frames: UInt64, byteCount: UInt64) {
        packets &+= frames
        bytes &+= byteCount &- frames &* UInt64(NetworkHeader.byteCount)
    }

    /// Adds another queue's counts to these.
    package static func += (left: inout Self, right: Self) {
        left.packets += right.packets
        left.bytes += right.bytes
        left.drops += right.drops
        left.kicks += right.kicks
        left.calls += right.calls
        left.errors += right.errors
        left.faults += right.faults
    }
}
