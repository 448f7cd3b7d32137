internal import GuestMemory

/// One block of a driver's frame buffers, with its free list.
@safe
struct Slab: ~Copyable {
    private let guest: GuestPhysicalAddress
    private let host: UnsafeMutableRawPointer?
    private let count: Int
    private let stride: Int
    private let free: UnsafeMutablePointer<UInt32>
    private let sequences: UnsafeMutablePointer<UInt64>
    private var freeCount: Int

    /// Makes a slab of `buffers`; `nil` makes one that has none.
    init(_ buffers: DriverBuffers?) {
        guest = buffers?.guest ?? GuestPhysicalAddress(rawValue: 0)
        unsafe host = buffers?.host
        count = buffers?.count ?? 0
        stride = buffers?.stride ?? DriverBuffers.defaultStride
        unsafe free = .allocate(capacity: max(1, count))
        unsafe sequences = .allocate(capacity: max(1, count))
        for index in 0..<count {
            unsafe (free + index).initialize(to: UInt32(count - 1 - index))
            unsafe (sequences + index).initialize(to: 0)
        }
        freeCount = count
    }

    deinit {
        unsafe free.deallocate()
        unsafe sequences.deallocate()
    }

    /// Whether no buffer is out.
    var isWhole: Bool { freeCount == count }

    /// The buffer that came back last, while it is still in the cache.
    @inline(__always)
    mutating func take() -> UInt32? {
        guard freeCount > 0 else { return nil }
        freeCount &-= 1
        return unsafe free[freeCount]
    }

    @inline(__always)
    mutating func put(_ index: Int) {
        precondition(freeCount < count && index < count, "a buffer came back that was not out")
        unsafe free[freeCount] = UInt32(truncatingIfNeeded: index)
        freeCount &+= 1
    }

    @inline(__always)
    func address(_ index: Int) -> IOVirtualAddress {
        IOVirtualAddress(
            rawValue: guest.rawValue &+ UInt64(truncatingIfNeeded: index &* stride))
    }

    @inline(__always)
    func bytes(_ index: Int) -> UnsafeMutableRawBufferPointer {
        precondition(index < count, "a buffer that is not there")
        return unsafe UnsafeMutableRawBufferPointer(
            start: host.unsafelyUnwrapped + index &* stride, count: stride)
    }

    @inline(__always)
    func sequence(_ index: Int) -> UInt64 {
        precondition(index < count, "a buffer that is not there")
        return unsafe sequences[index]
    }

    @inline(__always)
    mutating func setSequence(_ sequence: UInt64, _ index: Int) {
        precondition(index < count, "a buffer that is not there")
        unsafe sequences[index] = sequence
    }
}
