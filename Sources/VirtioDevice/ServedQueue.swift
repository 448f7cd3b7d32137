public import GuestMemory
package import LinuxHost
package import SystemPackage
public import VirtQueue
internal import Virtio

/// One queue of a device as its worker sees it: what it was started with, and its ring while it runs.
///
/// It knows nothing of what the chains carry. A pass takes the ring out, as the type of its format, works on it and puts
/// it back: ``takeRing(as:)``, ``beginBatch(of:)``, ``nextChain(of:into:within:isInBatch:)``, ``finishBatch(of:since:)``,
/// ``putBack(_:)``. Between two passes no chain is in flight.
///
/// Public, in a target that is no product: what runs once a chain is generic over the queue, and is specialised in the
/// worker's module only where it is public and inlinable (Swift 6.3).
///
/// **Thread.** The worker's alone.
public struct ServedQueue: ~Copyable {
    /// What the queue has done so far, apart from what its chains carried.
    public struct Tally: Sendable {
        /// Doorbells received, and interrupts sent.
        public var kicks: UInt64 = 0, calls: UInt64 = 0
        /// Chains or rings that broke a rule.
        public var errors: UInt64 = 0
        /// Accesses the IOTLB did not permit.
        public var faults: UInt64 = 0
        /// Chains that went back with nothing in them because they broke a rule or are not what they should be.
        public var refusedChains: UInt64 = 0

        @usableFromInline init() {}
    }

    /// Where a queue stood when a batch began.
    public struct BatchStart: Sendable {
        @usableFromInline let taken: UInt16
        @usableFromInline let returned: UInt16
        @usableFromInline let refusedChains: UInt64

        @inlinable
        init(taken: UInt16, returned: UInt16, refusedChains: UInt64) {
            self.taken = taken
            self.returned = returned
            self.refusedChains = refusedChains
        }
    }

    /// What a batch did, as the ring says it, whatever was counted otherwise.
    public struct BatchCount: Sendable {
        /// Chains that were taken and not given back, and chains that were returned, refused ones among them.
        public let taken: UInt64, returned: UInt64
        /// Chains among them that were refused.
        public let refused: UInt64

        @inlinable
        init(taken: UInt64, returned: UInt64, refused: UInt64) {
            self.taken = taken
            self.returned = returned
            self.refused = refused
        }
    }

    /// How many chains that break a rule a ring gives back in a row before the worker looks at its commands.
    @inlinable public static var badChainLimit: Int { 64 }

    /// The queue's number in the device.
    package let index: Int
    /// Takes what the device has to tell of its own accord.
    package let report: @Sendable (DataPathEvent) -> Void

    /// What the queue was started with, from a start to a stop.
    package private(set) var setup: QueueSetup?
    /// The format of the rings that the last start's features chose.
    package private(set) var format = RingFormat.split
    /// The ring, while it is started and its areas translate. `nil` in a started queue means that the device
    /// cannot reach its own rings: each kick tries again and counts a fault.
    @usableFromInline var ring: AnyDeviceQueue?
    @usableFromInline var table = TranslationTable([])
    /// What the ring translates through, where that is not ``table``.
    private var ringTable: TranslationTable?
    /// The other process's memory that the two tables lead to, of which this one has copies.
    private var copiedMemory: [CopiedMemory] = []
    private var copiedRingMemory: [CopiedMemory] = []
    /// What brings the ring here and back, where some of that memory is such.
    var copy: SplitRingCopy?
    @usableFromInline var isCopied = false
    /// Where the ring goes on while there is no `ring`: what a start took, or the last stop left.
    private var saved = QueueState.initial(.split)
    private var quirks: SplitRingQuirks
    /// Chains may be available: set by a kick, cleared when the ring was found empty.
    @usableFromInline var isMarked = false
    /// The driver was asked for a kick after the ring was found empty: until it kicks, nobody looks at the ring,
    /// whatever else wakes the worker.
    @usableFromInline var hasAskedForKicks = false

    /// The interrupt, kept open here. A batch signals its descriptor alone and so counts no reference.
    private var call: SharedEventFD?
    private var callDescriptor: FileDescriptor?
    /// Why the driver was not woken by it: the first refusal.
    package private(set) var callRefusal: Errno?

    @usableFromInline var counted = Tally()

    /// Makes queue `index` of a device, stopped. `report` is called on the worker's thread.
    package init(
        index: Int, quirks: SplitRingQuirks = SplitRingQuirks(),
        report: @escaping @Sendable (DataPathEvent) -> Void
    ) {
        self.index = index
        self.quirks = quirks
        self.report = report
    }

    // MARK: The parent's side

    /// Set from a start to a stop, while the driver has not broken the ring.
    package var isStarted: Bool { setup != nil }

    /// What the queue has done so far.
    package var tally: Tally { counted }

    /// Where the ring goes on.
    package var state: QueueState {
        switch ring {
        case .some(let ring): ring.state
        case .none: saved
        }
    }

    /// Starts the queue. It waits for a kick, as the kernel's devices do.
    package mutating func start(_ setup: QueueSetup) {
        self.setup = setup
        format = RingFormat(setup.features)
        saved = setup.state
        quirks.usedLag = setup.usedLag
        ring = nil
        setKicked(false)
        bindCall(setup.call)
    }

    /// Stops the queue, lets go of its call and returns where it stands. Between two batches every popped chain is
    /// completed, so the ring's state says it all.
    package mutating func stop() -> QueueState {
        loseRing()
        setup = nil
        setKicked(false)
        bindCall(nil)
        return saved
    }

    /// Translates through `entries` from now on, and looks the rings up anew.
    ///
    /// That look-up is the device's own, not an access the driver asked for: where it fails no fault is counted
    /// until the next kick. A queue that has its rings looks at them once more, since kicks may be suppressed.
    package mutating func replaceTable(_ entries: [TranslationEntry]) {
        loseRing()
        table = TranslationTable(entries)
        copiedMemory = CopiedMemory.behind(entries)
        lookUpRing()
    }

    /// Translates the ring through `entries` from now on, whatever the buffers go through, and looks it up anew.
    package mutating func replaceRingTable(_ entries: [TranslationEntry]) {
        loseRing()
        ringTable = TranslationTable(entries)
        copiedRingMemory = CopiedMemory.behind(entries)
        lookUpRing()
    }

    private mutating func lookUpRing() {
        guard let setup else { return }
        ring = try? makeRing(setup)
        if ring != nil { setKicked(true) }
    }

    /// Goes on at `state`, with the used index where it is, and without a look at the ring. Returns where it stood.
    package mutating func move(to state: QueueState) -> QueueState {
        loseRing()
        let old = saved
        saved = state
        quirks.usedLag &+= state.base.availIndex &- old.base.availIndex
        if let setup { ring = try? makeRing(setup) }
        return old
    }

    /// The ring where its own table, or the buffers', has it.
    private mutating func makeRing(_ setup: QueueSetup) throws(VirtQueueError) -> AnyDeviceQueue {
        let memories = copiedMemory + copiedRingMemory
        defer { isCopied = copy != nil }
        guard var own = ringTable.take() else {
            return try Self.makeRing(setup, saved, quirks, memories, &copy, &table)
        }
        do throws(VirtQueueError) {
            let ring = try Self.makeRing(setup, saved, quirks, memories, &copy, &own)
            ringTable = consume own
            return ring
        } catch {
            ringTable = consume own
            throw error
        }
    }

    /// The ring that `translation` has, or its copy where some of the driver's memory is copied.
    private static func makeRing(
        _ setup: QueueSetup, _ state: QueueState, _ quirks: SplitRingQuirks, _ memories: [CopiedMemory],
        _ copy: inout SplitRingCopy?, _ translation: inout TranslationTable
    ) throws(VirtQueueError) -> AnyDeviceQueue {
        guard !memories.isEmpty else {
            return try AnyDeviceQueue(
                layout: setup.layout, features: setup.features, state: state, quirks: quirks,
                translation: &translation)
        }
        let made = try SplitRingCopy(
            layout: setup.layout, features: setup.features, state: state, quirks: quirks, memories: memories,
            translation: &translation)
        copy = made
        return try made.makeQueue(features: setup.features, state: state, quirks: quirks)
    }

    /// Interrupts the driver with `call` from now on, until the next start or stop.
    package mutating func bindCall(_ call: SharedEventFD?) {
        self.call = call
        callDescriptor = call?.descriptor
    }

    private mutating func loseRing() {
        guard let ring = ring.take() else { return }
        saved = ring.state
        (copy, isCopied) = (nil, false)
    }

    // MARK: Kicks

    /// Chains may be available.
    @inlinable public var isKicked: Bool { isMarked }

    /// The device reaches its rings.
    package var hasRing: Bool { ring != nil }

    @inlinable
    mutating func setKicked(_ isKicked: Bool) {
        isMarked = isKicked
        hasAskedForKicks = false
    }

    /// Notes kicks; those for a queue that is not started are lost, as in the kernel.
    package mutating func receiveKicks(_ count: Int = 1) {
        guard count > 0, setup != nil else { return }
        counted.kicks &+= UInt64(count)
        setKicked(true)
    }

    /// Loses the kicks that were noted, of a queue that is not looked at for now.
    package mutating func loseKicks() { setKicked(false) }

    /// Has done with a kick that no pass has looked into, as something else held it up, where there is nothing in the ring.
    package mutating func dropEmptyKick() {
        if isMarked, ring?.hasAvailable() == false { setKicked(false) }
    }

    /// Finds the rings in memory where a kicked queue does not have them; where they do not translate, that is
    /// a fault, and the queue waits for the next kick.
    package mutating func resolveRing() {
        guard isMarked, ring == nil, let setup else { return }
        do throws(VirtQueueError) {
            ring = try makeRing(setup)
        } catch {
            setKicked(false)
            note(error)
        }
    }

    /// Has the ring looked at without a kick of its own, as a device does whose queues share their kicks.
    package mutating func lookAgain() {
        guard setup != nil else { return }
        setKicked(true)
        resolveRing()
    }

    /// Asks the driver for a kick where the queue has run dry; `true` where chains have come meanwhile.
    package mutating func askForKicks() -> Bool {
        guard !isMarked, !hasAskedForKicks else { return false }
        if ring?.requestKicks() == true || isCopied && hasMoreToCopy() {
            setKicked(true)
            return true
        }
        hasAskedForKicks = true
        return false
    }

    // MARK: A pass

    /// Takes the ring out for a pass, as a queue of its format; `nil` where the queue is not kicked or does not reach
    /// its ring.
    ///
    /// - Precondition: the queue was started with features of that format.
    @inlinable
    public mutating func takeRing<Queue: DeviceQueue & ~Copyable>(as type: Queue.Type) -> Queue? {
        if isCopied { pullCopy() }
        guard isMarked, let ring = ring.take() else { return nil }
        guard let queue = Queue.unwrap(ring) else {
            preconditionFailure("a pass over rings of another format")
        }
        return queue
    }

    /// Puts a ring back that was taken out.
    @inlinable
    public mutating func putBack<Queue: DeviceQueue & ~Copyable>(_ queue: consuming Queue) {
        ring = queue.wrapped()
    }

    /// Begins a batch.
    @inlinable
    public func beginBatch<Queue: DeviceQueue & ~Copyable>(of queue: borrowing Queue) -> BatchStart {
        BatchStart(
            taken: queue.chainsTaken, returned: queue.chainsReturned, refusedChains: counted.refusedChains)
    }

    /// Pops the next usable chain of `queue`; `nil` where the ring is empty, broken or out of reach.
    ///
    /// A chain that breaks a rule goes back at once with length zero, counted: the driver gets its buffer, the
    /// queue goes on. A ring that breaks a rule stops the queue.
    ///
    /// `isInBatch` says that chains popped earlier are still in flight. A chain that breaks a rule then stays in
    /// the ring, as the end of the batch: completed now it would stand behind chains that may yet be given back.
    ///
    /// Bad chains are charged to `pass` for what was looked at. Too many of them in a row, or more than the pass has
    /// room for, are a ring that is not empty and gives `nil`: the worker comes again.
    @inlinable
    @inline(__always)
    public mutating func nextChain<Queue: DeviceQueue & ~Copyable>(
        of queue: inout Queue, into segments: inout SegmentBuffer, within pass: inout PassBudget,
        isInBatch: Bool = false
    ) -> DescriptorChain? {
        do throws(VirtQueueError) {
            if let chain = try queue.pop(into: &segments, translation: &table) { return chain }
            setKicked(false)
            return nil
        } catch {
            return nextChain(
                after: error, of: &queue, into: &segments, within: &pass, isInBatch: isInBatch)
        }
    }

    /// The same where the first chain popped was answered with `error`.
    ///
    /// A call: inlined it would take the registers of the loops over good chains.
    @inlinable
    @inline(never)
    public mutating func nextChain<Queue: DeviceQueue & ~Copyable>(
        after error: VirtQueueError, of queue: inout Queue, into segments: inout SegmentBuffer,
        within pass: inout PassBudget, isInBatch: Bool
    ) -> DescriptorChain? {
        var error = error
        var badChains = 0
        while true {
            if isInBatch, let chain = error.chain {
                queue.rewind(chain)
                return nil
            }
            note(error)
            guard let chain = error.chain else {
                setKicked(false)
                return nil
            }
            counted.refusedChains &+= 1
            queue.complete(chain, byteCount: 0)
            // The descriptor that broke the rule was looked at too.
            pass.take(bytes: 0, segments: segments.discarded &+ 1)
            badChains &+= 1
            if badChains == Self.badChainLimit || !pass.hasRoom { return nil }
            do throws(VirtQueueError) {
                if let chain = try queue.pop(into: &segments, translation: &table) { return chain }
                setKicked(false)
                return nil
            } catch let next {
                error = next
            }
        }
    }

    /// Gives back a chain that is not what it should be, with length zero, and counts it.
    @inlinable
    @inline(never)
    public mutating func refuse<Queue: DeviceQueue & ~Copyable>(_ chain: ChainHandle, of queue: inout Queue) {
        counted.errors &+= 1
        counted.refusedChains &+= 1
        queue.complete(chain, byteCount: 0)
    }

    /// Ends a batch: shows the driver what was completed since `start`, and interrupts it if it asked.
    @inlinable
    public mutating func finishBatch<Queue: DeviceQueue & ~Copyable>(
        of queue: inout Queue, since start: BatchStart
    ) -> BatchCount {
        let count = BatchCount(
            taken: UInt64(queue.chainsTaken &- start.taken),
            returned: UInt64(queue.chainsReturned &- start.returned),
            refused: counted.refusedChains &- start.refusedChains)
        if count.returned != 0 {
            if isCopied { pushCopy(completed: queue.chainsReturned) }
            if queue.publish() { signalCall() }
        }
        return count
    }

    /// Interrupts the driver, whether it asked for it or not.
    @usableFromInline
    @inline(never)
    package mutating func signalCall() {
        guard let callDescriptor else { return }
        counted.calls &+= 1
        if let errno = EventFD.signal(callDescriptor), callRefusal == nil { callRefusal = errno }
    }

    /// Counts and reports what went wrong with a ring.
    @usableFromInline
    @inline(never)
    mutating func note(_ error: VirtQueueError) {
        if case .fault(let fault) = error.code {
            counted.faults &+= 1
            report(.fault(fault, queue: index))
        } else {
            counted.errors &+= 1
            if error.chain == nil { becomeBroken(error) }
        }
    }

    /// Stops a queue whose ring the driver broke, where it stands; only a new start clears it.
    private mutating func becomeBroken(_ error: VirtQueueError) {
        setup = nil
        setKicked(false)
        report(.queueBroken(error, queue: index))
    }
}
