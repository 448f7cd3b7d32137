public import Glibc

/// Room for the segments of a batch of chains: a list of `iovec` with a fixed capacity, ready for readv and writev.
///
/// One per worker or batch, allocated once: filling it allocates nothing. A segment's pointer is good for as
/// long as the map it came from.
@safe
public struct SegmentBuffer: ~Copyable {
    /// The first segment; `count` of them are initialised, and there is room for `capacity`.
    @unsafe public let base: UnsafeMutablePointer<iovec>
    /// The number of segments there is room for.
    public let capacity: Int
    @usableFromInline var length = 0
    /// How many segments the last chain that broke a rule had before it did: what looking at it has cost.
    public private(set) var discarded = 0

    /// Makes room for `capacity` segments, which must be above zero.
    public init(capacity: Int) {
        precondition(capacity > 0, "a segment buffer needs room for a segment")
        self.capacity = capacity
        unsafe base = UnsafeMutablePointer.allocate(capacity: capacity)
    }

    deinit { unsafe base.deallocate() }

    /// The number of segments.
    @inlinable public var count: Int { length }

    /// The segment at `index`, which must be below ``count``.
    @inlinable
    public subscript(index: Int) -> iovec {
        precondition(index >= 0 && index < length, "no such segment")
        return unsafe base[index]
    }

    /// Empties the buffer; O(1).
    @inlinable
    public mutating func removeAll() { length = 0 }

    /// Drops the segments from `count` on; O(1). `count` must not be above the present one.
    @inlinable
    public mutating func truncate(to count: Int) {
        precondition(count >= 0 && count <= length, "a truncation cannot add segments")
        length = count
    }

    /// Drops the segments of a chain that breaks a rule, which are those from `start` on.
    mutating func discard(from start: Int) {
        discarded = length - start
        truncate(to: start)
    }

    /// Appends a segment of `byteCount` bytes at `start`, or gives `false` where the buffer is full.
    @inlinable
    @unsafe
    public mutating func append(_ start: UnsafeMutableRawPointer, byteCount: Int) -> Bool {
        guard length < capacity else { return false }
        unsafe (base + length).initialize(to: iovec(iov_base: start, iov_len: byteCount))
        length &+= 1
        return true
    }
}
