/// The numbers of a split ring's memory format (virtio 1.2, sections 2.7.5 to 2.7.8).
///
/// Offsets and sizes are in bytes.
@usableFromInline
enum SplitRingNumbers {
    /// `struct virtq_desc`: address (8), length (4), flags (2), next (2).
    @inlinable static var descriptorBytes: Int { 16 }
    /// Where `idx` stands in the avail and in the used ring; `flags` stands at 0.
    @inlinable static var indexOffset: Int { 2 }
    /// Where the elements of the avail and of the used ring start.
    @inlinable static var elementsOffset: Int { 4 }
    @inlinable static var availElementBytes: Int { 2 }
    @inlinable static var usedElementBytes: Int { 8 }

    @inlinable static var next: UInt16 { 1 }  // VIRTQ_DESC_F_NEXT
    @inlinable static var write: UInt16 { 2 }  // VIRTQ_DESC_F_WRITE
    @inlinable static var indirect: UInt16 { 4 }  // VIRTQ_DESC_F_INDIRECT

    /// The same flags where they stand in a descriptor's second word.
    @inlinable static var nextBit: UInt64 { 1 << 32 }
    @inlinable static var writeBit: UInt64 { 2 << 32 }
    @inlinable static var indirectBit: UInt64 { 4 << 32 }

    @inlinable static var noInterrupt: UInt16 { 1 }  // VIRTQ_AVAIL_F_NO_INTERRUPT
    @inlinable static var noNotify: UInt16 { 1 }  // VIRTQ_USED_F_NO_NOTIFY

    /// The most descriptors a queue or an indirect table can have.
    @inlinable static var maximumSize: Int { 32768 }

    /// Where `used_event` stands in the avail ring of a queue of `size`.
    @inlinable
    static func usedEventOffset(size: Int) -> Int { elementsOffset &+ availElementBytes &* size }

    /// Where `avail_event` stands in the used ring of a queue of `size`.
    @inlinable
    static func availEventOffset(size: Int) -> Int { elementsOffset &+ usedElementBytes &* size }

    static func descriptorTableBytes(size: UInt16) -> Int { descriptorBytes * Int(size) }

    /// Without EVENT_IDX the field behind the elements is not accessed and need not be mapped.
    static func availRingBytes(size: UInt16, eventIndex: Bool) -> Int {
        usedEventOffset(size: Int(size)) + (eventIndex ? 2 : 0)
    }

    static func usedRingBytes(size: UInt16, eventIndex: Bool) -> Int {
        availEventOffset(size: Int(size)) + (eventIndex ? 2 : 0)
    }

    /// Whether moving an index from `old` to `new` passes `event` (virtio 1.2, section 2.7.7.1).
    @inlinable
    @inline(__always)
    static func needsEvent(_ event: UInt16, new: UInt16, old: UInt16) -> Bool {
        new &- event &- 1 < new &- old
    }

    static func isValid(size: UInt16) -> Bool {
        size != 0 && size & (size - 1) == 0 && Int(size) <= maximumSize
    }
}
