import GuestMemory

/// The driver side of a split virtqueue (virtio 1.2, section 2.7): lends buffers to the device and gets them back.
///
/// The queue owns its free list and the tokens of what is in flight in memory the device cannot reach; of the
/// ring it believes only the used index and the used elements, each checked against what is in flight. A batch
/// is: `add` chains, `publish` once, a kick if `publish` says so; `reap` until it gives `nil`. No function
/// allocates, locks or makes a system call.
///
/// **Errors.** A device that returns what it was not lent breaks the queue: every later `reap` gives the same
/// error and `add` refuses, until ``reset()``.
///
/// **Thread.** One thread at a time. **Life.** The ring's memory must outlive the queue.
@safe
public struct SplitDriverQueue: ~Copyable {
    /// What was negotiated.
    public let features: VirtQueueFeatures

    @usableFromInline let descriptors: RingMemory
    @usableFromInline let avail: RingMemory
    @usableFromInline let used: RingMemory
    @usableFromInline let mask: UInt16
    @usableFromInline let hasEventIndex: Bool
    /// One slot per descriptor, out of the device's reach.
    @usableFromInline let slots: UnsafeMutablePointer<DriverSlot>

    /// The first descriptor of the free list; meaningless where `free` is zero.
    @usableFromInline var freeHead: UInt16
    @usableFromInline var free: Int
    /// The chains that left by ``detach()`` instead of coming back.
    @usableFromInline var detached: Int
    /// The avail index with what is added but not published.
    @usableFromInline var added: UInt16
    /// The avail index the device sees.
    @usableFromInline var published: UInt16
    /// The next used element to take.
    @usableFromInline var next: UInt16
    /// The used index when it was last read.
    @usableFromInline var limit: UInt16
    /// What broke the queue.
    @usableFromInline var failure: VirtQueueError?

    /// Makes an empty ring of `size` in the block at `memory`, which has a ``SplitRingGeometry``; zeroes it.
    ///
    /// Avail and used index start at `index`: zero for a device that starts at ring base zero.
    ///
    /// - Throws: ``VirtQueueError/Code/invalidSize(_:)``, or ``VirtQueueError/Code/misalignedRing(_:)`` with
    ///   the host address where the block is not aligned to 16 bytes.
    @unsafe
    public init(
        size: UInt16, features: VirtQueueFeatures, memory: UnsafeMutableRawPointer, index: UInt16 = 0
    ) throws(VirtQueueError) {
        let geometry = try SplitRingGeometry(size: size)
        guard UInt(bitPattern: memory) & 15 == 0 else {
            throw VirtQueueError(
                .misalignedRing(IOVirtualAddress(rawValue: UInt64(UInt(bitPattern: memory)))))
        }
        self.features = features
        descriptors = unsafe RingMemory(memory)
        avail = unsafe RingMemory(memory + geometry.availRingOffset)
        used = unsafe RingMemory(memory + geometry.usedRingOffset)
        mask = size - 1
        hasEventIndex = features.contains(.eventIndex)
        unsafe slots = UnsafeMutablePointer.allocate(capacity: Int(size))
        unsafe slots.initialize(repeating: DriverSlot(), count: Int(size))
        freeHead = 0
        free = 0
        detached = 0
        added = 0
        published = 0
        next = 0
        limit = 0
        reset(index: index)
    }

    deinit { unsafe slots.deallocate() }

    /// The number of descriptors.
    @inlinable public var size: Int { Int(mask) &+ 1 }
    /// The descriptors that no chain uses; zero in a broken queue.
    @inlinable public var freeDescriptors: Int { free }
    /// The chains added and not reaped, published or not.
    @inlinable public var inFlight: Int { Int(added &- next) &- detached }
    /// The avail index, with the chains added but not yet published.
    @inlinable public var availIndex: UInt16 { added }
    /// The index of the next used element to take.
    @inlinable public var nextUsed: UInt16 { next }
    /// Whether the device has returned what it cannot have.
    @inlinable public var isBroken: Bool { failure != nil }

    /// Empties the ring and starts again at `index`: for a device that has lost its state. O(size).
    ///
    /// Chains in flight are forgotten; ``detach()`` them first to learn their tokens. No device may be using
    /// the ring.
    public mutating func reset(index: UInt16 = 0) {
        for offset in stride(from: 0, to: RingFormat.descriptorBytes * size, by: 8) {
            descriptors.store64(0, at: offset)
        }
        for offset in stride(from: 0, to: RingFormat.usedEventOffset(size: size) + 2, by: 2) {
            avail.store16(0, at: offset)
        }
        for offset in stride(from: 0, to: RingFormat.availEventOffset(size: size) + 2, by: 2) {
            used.store16(0, at: offset)
        }
        for slot in 0...Int(mask) { unsafe slots[slot] = DriverSlot(next: UInt16(slot + 1 & Int(mask))) }
        freeHead = 0
        free = size
        detached = 0
        added = index
        published = index
        next = index
        limit = index
        failure = nil
        if hasEventIndex {
            avail.store16(index, at: RingFormat.usedEventOffset(size: size))
            used.store16(index, at: RingFormat.availEventOffset(size: size))
        }
        used.store16Releasing(index, at: RingFormat.indexOffset)
        avail.store16Releasing(index, at: RingFormat.indexOffset)
    }

    /// Takes back any chain that is in flight and gives its token, or `nil` where there is none. O(size).
    ///
    /// For a device that is gone and will not return it; the ring is unusable until ``reset(index:)``.
    public mutating func detach() -> UInt32? {
        if failure == nil { _ = breakQueue() }
        guard inFlight > 0, let head = (0...Int(mask)).first(where: { unsafe slots[$0].count != 0 }) else {
            return nil
        }
        unsafe slots[head].count = 0
        detached += 1
        return unsafe slots[head].token
    }

    /// Ends the queue until a reset.
    @usableFromInline
    @inline(never)
    mutating func breakQueue() -> VirtQueueError {
        let error = failure ?? VirtQueueError(.invalidUsedElement)
        failure = error
        limit = next
        free = 0
        return error
    }
}
