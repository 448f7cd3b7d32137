internal import VirtQueue

/// What a batch of chains held that the device returned to the receive queue.
///
/// A chain holds a frame where the device says that it wrote a virtio header and more. One that is shorter holds none:
/// a frame that came to nothing. One in which the device wrote nothing is no frame at all. The device broke a rule in
/// either case, as Linux's driver counts them (`rx_length_errors`).
struct ReceivedChains {
    private(set) var frames: UInt64 = 0
    /// Of all frames, headers included.
    private(set) var byteCount: UInt64 = 0
    /// Chains with a header in them at the most.
    private(set) var short: UInt64 = 0
    /// Chains that came back with length zero.
    private(set) var empty: UInt64 = 0

    var isNone: Bool { frames == 0 && short == 0 && empty == 0 }

    /// Counts a chain; `false` where there is no frame in it.
    @inline(__always)
    mutating func take(_ used: UsedChain) -> Bool {
        guard used.byteCount > UInt32(NetworkHeader.byteCount) else {
            if used.byteCount == 0 { empty &+= 1 } else { short &+= 1 }
            return false
        }
        frames &+= 1
        byteCount &+= UInt64(used.byteCount)
        return true
    }
}
