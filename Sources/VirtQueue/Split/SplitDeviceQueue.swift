public import GuestMemory
public import Virtio

/// The device side of a split virtqueue (virtio 1.2, section 2.7): takes chains, returns them, says when to wake.
///
/// The queue owns its indices and nothing else; ring and buffers are the guest's memory, reached through an
/// IOTLB. Everything the guest can write is loaded once, checked, then used. A batch is: `pop` until it gives
/// `nil`, `complete` each chain, `publish` once, and a call if `publish` says so. No function allocates, locks
/// or makes a system call.
///
/// **Errors.** An error with a chain concerns that chain alone: its avail entry is consumed, `complete` it with
/// length zero and go on. One without a head concerns the ring: the queue ``isBroken``, every later `pop` gives
/// the same error, and only a new queue goes on. Chains in flight can still be returned.
///
/// **Thread.** One thread at a time. **Life.** The maps its table was made of must outlive the queue. Where the
/// IOTLB changes, a new queue over the new table goes on at ``state``, once nothing is in flight.
@safe
public struct SplitDeviceQueue: DeviceQueue, ~Copyable {
    @usableFromInline let descriptors: RingMemory
    @usableFromInline let avail: RingMemory
    @usableFromInline let used: RingMemory
    /// The size less one, so that the size itself never needs more than 16 bits.
    @usableFromInline let mask: UInt16
    @usableFromInline let hasEventIndex: Bool
    @usableFromInline let hasIndirect: Bool

    /// The next avail entry to take.
    @usableFromInline var next: UInt16
    /// The avail index when it was last read: entries before it are there to take.
    ///
    /// Equal to `next` in a broken queue, so that the fast path of `pop` needs no check of its own.
    @usableFromInline var limit: UInt16
    /// The used index with what is completed but not published.
    @usableFromInline var completed: UInt16
    /// The used index the driver sees.
    @usableFromInline var published: UInt16
    /// Whether the driver's wish to be called can be judged against `published`.
    ///
    /// It cannot before the first publication: an earlier owner of the ring may have passed the event without
    /// its call arriving, so the first one always calls.
    @usableFromInline var hasSignalled = false

    /// What a device of another make than this project's does with its rings.
    @usableFromInline let quirks: SplitRingQuirks

    /// What broke the queue.
    @usableFromInline var failure: VirtQueueError?

    /// Starts the device side of the ring at `layout`, where `state` says that it goes on.
    ///
    /// The three areas are translated once: the descriptor table and the avail ring must be readable, the used
    /// ring writable, each contiguous in host memory. Nothing is written. `state` is the initial one for a
    /// new ring, and what ``state`` was after a stop.
    ///
    /// - Throws: ``VirtQueueError/Code/invalidSize(_:)``, ``VirtQueueError/Code/misalignedRing(_:)`` or
    ///   ``VirtQueueError/Code/fault(_:)``.
    public init(
        layout: RingLayout, features: VirtioFeatures, state: QueueState,
        translation: inout TranslationTable
    ) throws(VirtQueueError) {
        try self.init(
            layout: layout, features: features, state: state, quirks: SplitRingQuirks(),
            translation: &translation)
    }

    /// The same with what a device of another make does otherwise.
    package init(
        layout: RingLayout, features: VirtioFeatures, state: QueueState, quirks: SplitRingQuirks,
        translation: inout TranslationTable
    ) throws(VirtQueueError) {
        self.quirks = quirks
        let areas = try Self.resolve(layout, features, quirks, &translation)
        descriptors = areas.descriptors
        avail = areas.avail
        used = areas.used
        mask = layout.size - 1
        hasEventIndex = features.contains(.eventIndex)
        hasIndirect = features.contains(.indirectDescriptors)
        switch state {
        case .split(let nextAvail):
            next = nextAvail
            limit = nextAvail
            completed = nextAvail
            published = nextAvail
        }
    }

    /// The queue in `queue`, where it is a split ring's.
    @inlinable
    public static func unwrap(_ queue: consuming AnyDeviceQueue) -> SplitDeviceQueue? {
        switch consume queue {
        case .split(let queue): queue
        }
    }

    /// The same queue, for who keeps queues of any format.
    @inlinable
    public consuming func wrapped() -> AnyDeviceQueue { .split(self) }

    /// The number of descriptors.
    @inlinable public var size: Int { Int(mask) &+ 1 }
    /// Where the ring goes on: what to save once nothing is in flight.
    public var state: QueueState { .split(nextAvail: next) }
    /// The chains popped so far less those given back, modulo 2¹⁶: only differences mean something.
    @inlinable public var chainsTaken: UInt16 { next }
    /// The chains completed so far, published or not, modulo 2¹⁶: only differences mean something.
    @inlinable public var chainsReturned: UInt16 { completed }
    /// The used index as the driver sees it.
    @inlinable public var publishedUsedIndex: UInt16 { published &- quirks.usedLag }
    /// The chains popped and not completed.
    @inlinable public var inFlight: Int { Int(next &- completed) }
    /// Whether an error of the ring itself has ended the queue.
    @inlinable public var isBroken: Bool { failure != nil }

    /// Returns a chain to the driver: `byteCount` bytes were written to its device-writable segments.
    ///
    /// Chains may be completed in any order. The driver sees nothing before ``publish()``. There must be a
    /// chain in flight.
    @inlinable
    @inline(__always)
    public mutating func complete(_ chain: ChainHandle, byteCount: UInt32) {
        precondition(next != completed, "no chain is in flight")
        let slot = Int((completed &- quirks.usedLag) & mask)
        let offset = SplitRingNumbers.elementsOffset &+ SplitRingNumbers.usedElementBytes &* slot
        used.store32(UInt32(chain.id), at: offset)
        used.store32(byteCount, at: offset &+ 4)
        completed &+= 1
    }

    /// Shows the driver all completed chains at once; `true` where it wants a call for them.
    ///
    /// `false` where there was none. The fence in it costs some 20 cycles: publish once per batch.
    @inlinable
    public mutating func publish() -> Bool {
        if completed == published { return false }
        let old = published &- quirks.usedLag
        let new = completed &- quirks.usedLag
        used.store16Releasing(new, at: SplitRingNumbers.indexOffset)
        published = completed
        RingMemory.fullFence()
        guard hasEventIndex else { return avail.load16(0) & SplitRingNumbers.noInterrupt == 0 }
        let event = avail.load16(SplitRingNumbers.usedEventOffset(size: size))
        let wants = !hasSignalled || SplitRingNumbers.needsEvent(event, new: new, old: old)
        hasSignalled = true
        return wants
    }

    /// Asks the driver not to kick: the device looks at the ring by itself for a while.
    ///
    /// A hint: kicks already on their way, and one in 65536 with EVENT_IDX, still come.
    @inlinable
    public mutating func suppressKicks() {
        if hasEventIndex {
            // The entry before the next one is past: the driver's index does not cross it again before it wraps.
            used.store16(next &- 1, at: SplitRingNumbers.availEventOffset(size: size))
        } else {
            used.store16(SplitRingNumbers.noNotify, at: 0)
        }
    }

    /// Asks the driver to kick for the next chain; `true` where one is already there and no kick will come for it.
    ///
    /// On `true`, pop again before waiting. `false` in a broken queue.
    @inlinable
    public mutating func requestKicks() -> Bool {
        if hasEventIndex {
            used.store16(next, at: SplitRingNumbers.availEventOffset(size: size))
        } else {
            used.store16(0, at: 0)
        }
        RingMemory.fullFence()
        return hasAvailable()
    }

    /// Ends the queue with `error`, unless an earlier error has; gives the error that ended it.
    @usableFromInline
    mutating func breakQueue(_ error: VirtQueueError) -> VirtQueueError {
        limit = next
        let first = failure ?? error
        failure = first
        return first
    }

    private static func resolve(
        _ layout: RingLayout, _ features: VirtioFeatures, _ quirks: SplitRingQuirks,
        _ translation: inout TranslationTable
    ) throws(VirtQueueError) -> (descriptors: RingMemory, avail: RingMemory, used: RingMemory) {
        let (size, addresses) = (layout.size, layout.addresses)
        guard SplitRingNumbers.isValid(size: size) else { throw VirtQueueError(.invalidSize(size)) }
        let eventIndex = features.contains(.eventIndex)
        return (
            try area(
                addresses.descriptorArea, SplitRingNumbers.descriptorTableBytes(size: size),
                quirks.takesAnyTableAddress ? 1 : 16, .read, &translation),
            try area(
                addresses.driverArea, SplitRingNumbers.availRingBytes(size: size, eventIndex: eventIndex), 2,
                .read, &translation),
            try area(
                addresses.deviceArea, SplitRingNumbers.usedRingBytes(size: size, eventIndex: eventIndex), 4,
                .write, &translation)
        )
    }

    /// The address is aligned as the guest sees it and as the host does: atomics need the second.
    private static func area(
        _ address: IOVirtualAddress, _ byteCount: Int, _ alignment: Int, _ access: MemoryAccess,
        _ translation: inout TranslationTable
    ) throws(VirtQueueError) -> RingMemory {
        guard address.isAligned(to: ByteCount(alignment)) else {
            throw VirtQueueError(.misalignedRing(address))
        }
        let pointer: UnsafeMutableRawPointer
        do throws(TranslationFault) {
            unsafe pointer = try translation.contiguous(
                at: address, byteCount: ByteCount(byteCount), access: access)
        } catch {
            throw VirtQueueError(.fault(error))
        }
        guard UInt(bitPattern: pointer) & UInt(alignment - 1) == 0 else {
            throw VirtQueueError(.misalignedRing(address))
        }
        return unsafe RingMemory(pointer)
    }
}
