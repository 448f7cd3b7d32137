public import Synchronization

/// One area of a ring in memory that the other side reads and writes at the same time.
///
/// Every access is a single atomic one (virtio 1.2, section 2.7 asks for no more than natural sizes), so that a
/// value is the same for a check and for the use that follows it, whatever the other side does meanwhile, and
/// so that the compiler never loads it again. This file is the only one that names atomics.
///
/// The type is a bare pointer: the owner guarantees that offsets stay in the area, that the area stays mapped,
/// and that `base + offset` is a multiple of the access's size, but for descriptors of a table that may be anywhere
/// (``SplitRingQuirks/takesAnyTableAddress``): a relaxed load is a plain one on x86-64 and arm64, which may then see half of
/// what the other side writes. Values are little-endian (virtio 1.2, section
/// 1.4). Accesses without an ordering in their name are relaxed.
@usableFromInline
@safe
struct RingMemory: BitwiseCopyable {
    @usableFromInline let base: UnsafeMutableRawPointer

    @inlinable
    init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    @inlinable
    @inline(__always)
    func load16(_ offset: Int) -> UInt16 {
        UInt16(littleEndian: unsafe cell16(offset).pointee.load(ordering: .relaxed))
    }

    @inlinable
    @inline(__always)
    func load16Acquiring(_ offset: Int) -> UInt16 {
        UInt16(littleEndian: unsafe cell16(offset).pointee.load(ordering: .acquiring))
    }

    @inlinable
    @inline(__always)
    func store16(_ value: UInt16, at offset: Int) {
        unsafe cell16(offset).pointee.store(value.littleEndian, ordering: .relaxed)
    }

    @inlinable
    @inline(__always)
    func store16Releasing(_ value: UInt16, at offset: Int) {
        unsafe cell16(offset).pointee.store(value.littleEndian, ordering: .releasing)
    }

    @inlinable
    @inline(__always)
    func load32(_ offset: Int) -> UInt32 {
        UInt32(littleEndian: unsafe cell32(offset).pointee.load(ordering: .relaxed))
    }

    @inlinable
    @inline(__always)
    func store32(_ value: UInt32, at offset: Int) {
        unsafe cell32(offset).pointee.store(value.littleEndian, ordering: .relaxed)
    }

    @inlinable
    @inline(__always)
    func load64(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: unsafe cell64(offset).pointee.load(ordering: .relaxed))
    }

    @inlinable
    @inline(__always)
    func store64(_ value: UInt64, at offset: Int) {
        unsafe cell64(offset).pointee.store(value.littleEndian, ordering: .relaxed)
    }

    /// One byte, for what has no alignment: each byte is still loaded exactly once.
    @inlinable
    func load8(_ offset: Int) -> UInt8 {
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt8>.self).pointee.load(ordering: .relaxed)
    }

    /// Orders the store of an index before the load of the other side's wish to be notified.
    ///
    /// Both sides store, then fence, then load what the other one stored: at least one of them sees the other's
    /// store, which is what keeps a wake-up from being lost (virtio 1.2, sections 2.7.7 and 2.7.10).
    @inlinable
    @inline(__always)
    static func fullFence() { atomicMemoryFence(ordering: .sequentiallyConsistent) }

    @inlinable
    @inline(__always)
    func cell16(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt16>> {
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt16>.self)
    }

    @inlinable
    @inline(__always)
    func cell32(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    @inlinable
    @inline(__always)
    func cell64(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
}
