/// How often a process called its device. A value: subtract two to get what happened between them.
public struct DeviceCallCounts: Hashable, Sendable {
    /// Every `ioctl(2)`, failed ones included.
    public var ioctls = 0
    /// UPDATE messages written, failed ones included.
    public var updates = 0
    /// INVALIDATE messages written, failed ones included.
    public var invalidates = 0
    /// BATCH_BEGIN messages written: the number of batches.
    public var batches = 0

    /// No call at all.
    public init() {}

    /// The calls since `earlier`, a value read before this one.
    public static func - (later: Self, earlier: Self) -> Self {
        var difference = Self()
        difference.ioctls = later.ioctls - earlier.ioctls
        difference.updates = later.updates - earlier.updates
        difference.invalidates = later.invalidates - earlier.invalidates
        difference.batches = later.batches - earlier.batches
        return difference
    }

    /// Adds the calls of another time to these.
    public static func += (left: inout Self, right: Self) {
        left.ioctls += right.ioctls
        left.updates += right.updates
        left.invalidates += right.invalidates
        left.batches += right.batches
    }
}
