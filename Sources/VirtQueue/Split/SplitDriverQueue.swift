public import GuestMemory
public import Virtio

/// The driver side of a split virtqueue (virtio 1.2, section 2.7): lends buffers to the device and gets them back.
///
/// The queue owns its free list and the tokens of what is in flight in memory the device cannot reach; of the
/// ring it believes only the used index and the used elements, each checked against what is in flight. A batch
/// is: `add` chains, `publish` once, a kick if `publish` says so; `reap` until it gives `nil`. No function
/// allocates, locks or makes a system call.
///
/// **Errors.** A device that returns what it was not lent breaks the queue: every later `reap` gives the same
/// error and `add` refuses, until ``reset(to:)``.
///
/// **Thread.** One thread at a time. **Life.** The memory of a ring in a block must outlive the queue; that of one in an
/// address space is kept by the queue.
@safe
public struct SplitDriverQueue: DriverQueue, ~Copyable {
    /// What was negotiated.
    public let features: VirtioFeatures

    @usableFromInline let descriptors: RingMemory
    @usableFromInline let avail: RingMemory
    @usableFromInline let used: RingMemory
    @usableFromInline let mask: UInt16
    @usableFromInline let hasEventIndex: Bool
    /// Keeps the ring's memory, where the queue found it in an address space.
    private let memory: FlatView?
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

    /// Makes an empty ring of `size` in the block at `memory`, which has a ``RingGeometry``; zeroes it.
    ///
    /// The ring starts at `state`, as its device must.
    ///
    /// - Throws: ``VirtQueueError/Code/invalidSize(_:)``, or ``VirtQueueError/Code/misalignedRing(_:)`` with
    ///   the host address where the block is not aligned to 16 bytes.
    @unsafe
    public init(
        size: UInt16, features: VirtioFeatures, memory: UnsafeMutableRawPointer,
        state: QueueState = .initial(.split)
    ) throws(VirtQueueError) {
        let geometry = try RingGeometry(size: size)
        guard UInt(bitPattern: memory) & 15 == 0 else {
            throw VirtQueueError(
                .misalignedRing(IOVirtualAddress(rawValue: UInt64(UInt(bitPattern: memory)))))
        }
        unsafe self.init(
            size: size, features: features, descriptors: RingMemory(memory),
            avail: RingMemory(memory + geometry.driverAreaOffset),
            used: RingMemory(memory + geometry.deviceAreaOffset), state: state, memory: nil)
    }

    /// Makes an empty ring at `layout` in a guest's memory; zeroes it. I/O virtual addresses are guest physical ones.
    ///
    /// - Throws: ``VirtQueueError/Code/invalidSize(_:)``, ``VirtQueueError/Code/misalignedRing(_:)``, or
    ///   ``VirtQueueError/Code/fault(_:)`` where an area is not all in memory that can be written.
    public init(
        layout: RingLayout, features: VirtioFeatures = [], in space: AddressSpace,
        state: QueueState = .initial(.split)
    ) throws(VirtQueueError) {
        let (size, ring, view) = (layout.size, layout.addresses, space.view)
        guard SplitRingNumbers.isValid(size: size) else { throw VirtQueueError(.invalidSize(size)) }
        self.init(
            size: size, features: features,
            descriptors: try Self.area(
                ring.descriptorArea, SplitRingNumbers.descriptorTableBytes(size: size), 16, view),
            avail: try Self.area(
                ring.driverArea, SplitRingNumbers.availRingBytes(size: size, eventIndex: true), 2, view),
            used: try Self.area(
                ring.deviceArea, SplitRingNumbers.usedRingBytes(size: size, eventIndex: true), 4, view),
            state: state, memory: view)
    }

    private static func area(
        _ address: IOVirtualAddress, _ byteCount: Int, _ alignment: Int, _ view: FlatView
    ) throws(VirtQueueError) -> RingMemory {
        guard address.isAligned(to: ByteCount(alignment)) else {
            throw VirtQueueError(.misalignedRing(address))
        }
        guard
            let range = AddressRange(
                first: GuestPhysicalAddress(rawValue: address.rawValue), byteCount: ByteCount(byteCount)),
            let host = view.hostRange(of: range, access: .readWrite),
            let base = unsafe UnsafeMutableRawPointer(bitPattern: UInt(host.first.rawValue))
        else { throw VirtQueueError(.fault(TranslationFault(address: address, access: .readWrite))) }
        // Atomics need the host's address aligned as well.
        guard UInt(bitPattern: base) & UInt(alignment - 1) == 0 else {
            throw VirtQueueError(.misalignedRing(address))
        }
        return unsafe RingMemory(base)
    }

    private init(
        size: UInt16, features: VirtioFeatures, descriptors: RingMemory, avail: RingMemory, used: RingMemory,
        state: QueueState, memory: FlatView?
    ) {
        self.features = features
        self.memory = memory
        self.descriptors = descriptors
        self.avail = avail
        self.used = used
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
        reset(to: state)
    }

    deinit { unsafe slots.deallocate() }

    /// The queue in `queue`, where it is a split ring's.
    @inlinable
    public static func unwrap(_ queue: consuming AnyDriverQueue) -> SplitDriverQueue? {
        switch consume queue {
        case .split(let queue): queue
        }
    }

    /// The same queue, for who keeps queues of any format.
    @inlinable
    public consuming func wrapped() -> AnyDriverQueue { .split(self) }

    /// The number of descriptors.
    @inlinable public var size: Int { Int(mask) &+ 1 }
    /// The descriptors that no chain uses; zero in a broken queue.
    @inlinable public var freeDescriptors: Int { free }
    /// The chains added and not reaped, published or not.
    @inlinable public var inFlight: Int { Int(added &- next) &- detached }
    /// The avail index, with the chains added but not yet published.
    @inlinable public var availIndex: UInt16 { added }
    /// The chains reaped so far, modulo 2¹⁶: only differences mean something.
    @inlinable public var chainsReaped: UInt16 { next }
    /// Whether the device has returned what it cannot have.
    @inlinable public var isBroken: Bool { failure != nil }

    /// Takes the next chain the device has returned; `nil` where there is none. O(1).
    ///
    /// A chain is in flight from its `add` on: a device that returns one whose descriptors it guessed, before it is
    /// published, is believed. Who reaps between `add` and ``publish()`` reckons with that.
    ///
    /// - Throws: ``VirtQueueError/Code/invalidUsedElement``, the queue broken: the used index passed what is
    ///   published, or the element names no chain in flight, or more bytes than it may have written.
    @inlinable
    @inline(__always)
    public mutating func reap() throws(VirtQueueError) -> UsedChain? {
        if next == limit {
            guard try refresh() else { return nil }
        }
        let offset = SplitRingNumbers.elementsOffset &+ SplitRingNumbers.usedElementBytes &* Int(next & mask)
        let id = used.load32(offset)
        let byteCount = used.load32(offset &+ 4)
        guard id <= UInt32(mask) else { try fail() }
        let slot = unsafe slots + Int(id)
        let count = unsafe slot.pointee.count
        guard count != 0, unsafe byteCount <= slot.pointee.writableBytes else { try fail() }
        unsafe slot.pointee.count = 0
        unsafe slots[Int(slot.pointee.last)].next = freeHead
        freeHead = UInt16(truncatingIfNeeded: id)
        free &+= Int(count)
        next &+= 1
        return UsedChain(token: unsafe slot.pointee.token, byteCount: byteCount)
    }

    /// Whether the device has returned chains that are not yet reaped; `false` in a broken queue.
    @inlinable
    public func hasUsed() -> Bool {
        !isBroken && used.load16Acquiring(SplitRingNumbers.indexOffset) != next
    }

    /// Reads the used index; `false` where it shows nothing new.
    @usableFromInline
    @inline(never)
    mutating func refresh() throws(VirtQueueError) -> Bool {
        if let failure { throw failure }
        let index = used.load16Acquiring(SplitRingNumbers.indexOffset)
        if index == next { return false }
        guard index &- next <= published &- next else { throw breakQueue() }
        limit = index
        return true
    }

    /// Shows the device all added chains at once; `true` where it wants a kick for them.
    ///
    /// `false` where there was none. The fence in it costs some 20 cycles: publish once per batch.
    @inlinable
    public mutating func publish() -> Bool {
        let old = published
        let new = added
        if new == old { return false }
        avail.store16Releasing(new, at: SplitRingNumbers.indexOffset)
        published = new
        RingMemory.fullFence()
        guard hasEventIndex else { return used.load16(0) & SplitRingNumbers.noNotify == 0 }
        let event = used.load16(SplitRingNumbers.availEventOffset(size: size))
        return SplitRingNumbers.needsEvent(event, new: new, old: old)
    }

    /// Asks the device not to call: the driver looks at the ring by itself for a while.
    ///
    /// A hint: calls already on their way, and one in 65536 with EVENT_IDX, still come.
    @inlinable
    public mutating func suppressCalls() {
        if hasEventIndex {
            // The element before the next one is past: the device's index does not cross it before it wraps.
            avail.store16(next &- 1, at: SplitRingNumbers.usedEventOffset(size: size))
        } else {
            avail.store16(SplitRingNumbers.noInterrupt, at: 0)
        }
    }

    /// Asks the device to call once it has returned `chains` more; `true` where it already has and no call will come.
    ///
    /// On `true`, reap again before waiting. More than one chain only takes effect with EVENT_IDX; without it
    /// the device calls for the first. `chains` must be from 1 to the queue's size and not above what is in
    /// flight, or the call never comes. `false` in a broken queue.
    @inlinable
    public mutating func requestCalls(after chains: Int = 1) -> Bool {
        precondition(chains >= 1 && chains <= size, "a call after no or too many chains")
        let distance = UInt16(truncatingIfNeeded: chains &- 1)
        if hasEventIndex {
            avail.store16(next &+ distance, at: SplitRingNumbers.usedEventOffset(size: size))
        } else {
            avail.store16(0, at: 0)
        }
        RingMemory.fullFence()
        if isBroken { return false }
        return used.load16Acquiring(SplitRingNumbers.indexOffset) &- next > (hasEventIndex ? distance : 0)
    }

    /// Empties the ring and starts again at `state`: for a device that has lost its state. O(size).
    ///
    /// Chains in flight are forgotten; ``detach()`` them first to learn their tokens. No device may be using
    /// the ring.
    public mutating func reset(to state: QueueState = .initial(.split)) {
        let index: UInt16
        switch state {
        case .split(let nextAvail): index = nextAvail
        }
        for offset in stride(from: 0, to: SplitRingNumbers.descriptorBytes * size, by: 8) {
            descriptors.store64(0, at: offset)
        }
        for offset in stride(from: 0, to: SplitRingNumbers.usedEventOffset(size: size) + 2, by: 2) {
            avail.store16(0, at: offset)
        }
        for offset in stride(from: 0, to: SplitRingNumbers.availEventOffset(size: size) + 2, by: 2) {
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
            avail.store16(index, at: SplitRingNumbers.usedEventOffset(size: size))
            used.store16(index, at: SplitRingNumbers.availEventOffset(size: size))
        }
        used.store16Releasing(index, at: SplitRingNumbers.indexOffset)
        avail.store16Releasing(index, at: SplitRingNumbers.indexOffset)
    }

    /// The tokens of the chains that are added and not reaped, in no order. O(size), with an allocation.
    package var tokensInFlight: [UInt32] {
        (0...Int(mask)).compactMap { unsafe slots[$0].count != 0 ? slots[$0].token : nil }
    }

    /// Takes back any chain that is in flight and gives its token, or `nil` where there is none. O(size).
    ///
    /// For a device that is gone and will not return it; the ring is unusable until ``reset(to:)``.
    public mutating func detach() -> UInt32? {
        if failure == nil { _ = breakQueue() }
        guard inFlight > 0, let head = (0...Int(mask)).first(where: { unsafe slots[$0].count != 0 }) else {
            return nil
        }
        unsafe slots[head].count = 0
        detached += 1
        return unsafe slots[head].token
    }

    /// Ends the queue for a used element that the device cannot have returned. Throws by itself, as
    /// ``SplitDeviceQueue``'s does.
    @usableFromInline
    @inline(never)
    mutating func fail() throws(VirtQueueError) -> Never { throw breakQueue() }

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

/// What the driver remembers of a descriptor: its place in the free list, or in the chain that uses it.
///
/// The ring holds the same links, but there the device could change them.
@usableFromInline
struct DriverSlot: BitwiseCopyable {
    /// The caller's name for the chain; in a chain's head.
    @usableFromInline var token: UInt32 = 0
    /// The bytes the device may write; in a chain's head.
    @usableFromInline var writableBytes: UInt32 = 0
    /// The next descriptor of the free list or of the chain.
    @usableFromInline var next: UInt16
    /// The chain's last descriptor; in a chain's head.
    @usableFromInline var last: UInt16 = 0
    /// The chain's number of descriptors; zero in a descriptor that is not the head of a chain in flight.
    @usableFromInline var count: UInt16 = 0

    @inlinable
    init(next: UInt16 = 0) { self.next = next }
}
