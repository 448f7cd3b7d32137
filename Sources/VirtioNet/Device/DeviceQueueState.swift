internal import GuestMemory
internal import LinuxHost
internal import SystemPackage
internal import VirtQueue
internal import Virtio
internal import VirtioDevice

/// One queue of the device as its worker sees it: what the parent configured, and the ring while it runs.
struct DeviceQueueState: ~Copyable {
    /// The queue's number in the device.
    let index: Int
    let role: QueueRole
    let report: @Sendable (DataPathEvent) -> Void

    /// What the queue was started with, from a start to a stop.
    private(set) var setup: QueueSetup?
    /// The ring, while it is started and its areas translate. `nil` in a started queue means that the device
    /// cannot reach its own rings: each kick tries again and counts a fault.
    var ring: SplitDeviceQueue?
    var table = TranslationTable([])
    /// Where the ring goes on while there is no `ring`: what a start took, or the last stop left.
    private var saved = QueueState.initial(.split)
    /// Chains may be available: set by a kick, cleared when the ring was found empty.
    var isKicked = false {
        didSet { hasAskedForKicks = false }
    }
    /// The driver was asked for a kick after the ring was found empty: until it kicks, nobody looks at the ring,
    /// whatever else wakes the worker.
    private var hasAskedForKicks = false

    /// The interrupt, kept open here. A batch signals its descriptor alone and so counts no reference.
    private var call: SharedEventFD?
    private var callDescriptor: FileDescriptor?
    /// Why the driver was not woken by it: the first refusal.
    private(set) var callRefusal: Errno?

    var counts = QueueCounts()
    var account = FrameAccount()
    /// Chains that went back with nothing in them because they broke a rule or cannot hold a frame.
    private var refusedChains: UInt64 = 0
    let counters: QueueCounters

    init(
        index: Int, role: QueueRole, counters: QueueCounters,
        report: @escaping @Sendable (DataPathEvent) -> Void
    ) {
        self.index = index
        self.role = role
        self.counters = counters
        self.report = report
    }

    /// Set from a start to a stop, while the driver has not broken the ring.
    var isStarted: Bool { setup != nil }

    /// Where the ring goes on.
    var state: QueueState {
        switch ring {
        case .some(let ring): ring.state
        case .none: saved
        }
    }

    /// Starts the queue. It waits for a kick, as the kernel's devices do.
    mutating func start(_ setup: QueueSetup) {
        self.setup = setup
        saved = setup.state
        ring = nil
        isKicked = false
        bindCall(setup.call)
    }

    /// Stops the queue, lets go of its call and returns where it stands. Between two batches every popped chain is
    /// completed, so the ring's state says it all.
    mutating func stop() -> QueueState {
        loseRing()
        setup = nil
        isKicked = false
        bindCall(nil)
        return saved
    }

    /// Translates through `entries` from now on, and looks the rings up anew.
    ///
    /// That look-up is the device's own, not an access the driver asked for: where it fails no fault is counted
    /// until the next kick. A queue that has its rings looks at them once more, since kicks may be suppressed.
    mutating func replaceTable(_ entries: [TranslationEntry]) {
        loseRing()
        table = TranslationTable(entries)
        guard let setup else { return }
        ring = try? SplitDeviceQueue(
            layout: setup.layout, features: setup.features, state: saved, translation: &table)
        if ring != nil { isKicked = true }
    }

    /// Gives up the pointers into the rings, but not the position in them.
    private mutating func loseRing() {
        guard let ring = ring.take() else { return }
        saved = ring.state
    }

    /// Finds the rings in memory where a kicked queue does not have them; where they do not translate, that is
    /// a fault, and the queue waits for the next kick.
    mutating func resolveRing() {
        guard isKicked, ring == nil, let setup else { return }
        do {
            ring = try SplitDeviceQueue(
                layout: setup.layout, features: setup.features, state: saved, translation: &table)
        } catch {
            isKicked = false
            note(error)
        }
    }

    /// Has the ring looked at without a kick of its own, as a device does whose queues share their kicks.
    mutating func lookAgain() {
        guard setup != nil else { return }
        isKicked = true
        resolveRing()
    }

    /// Notes kicks; those for a queue that is not started are lost, as in the kernel.
    mutating func receiveKicks(_ count: Int = 1) {
        guard count > 0, setup != nil else { return }
        counts.kicks &+= UInt64(count)
        isKicked = true
    }

    /// Asks the driver for a kick where the queue has run dry; `true` where chains have come meanwhile.
    mutating func askForKicks() -> Bool {
        guard !isKicked, !hasAskedForKicks else { return false }
        if ring?.requestKicks() == true {
            isKicked = true
            return true
        }
        hasAskedForKicks = true
        return false
    }

    /// Stops a queue whose ring the driver broke, where it stands; only a new start clears it.
    private mutating func becomeBroken(_ error: VirtQueueError) {
        setup = nil
        isKicked = false
        report(.queueBroken(error, queue: index))
    }

    /// Counts and reports what went wrong with a ring.
    private mutating func note(_ error: VirtQueueError) {
        if case .fault(let fault) = error.code {
            counts.faults &+= 1
            report(.fault(fault, queue: index))
        } else {
            counts.errors &+= 1
            if error.chain == nil { becomeBroken(error) }
        }
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
    @inline(__always)
    mutating func nextChain(
        of queue: inout SplitDeviceQueue, into segments: inout SegmentBuffer, within pass: inout PassBudget,
        isInBatch: Bool = false
    ) -> DescriptorChain? {
        for _ in 0..<DeviceWorker.badChainLimit {
            do throws(VirtQueueError) {
                if let chain = try queue.pop(into: &segments, translation: &table) { return chain }
                isKicked = false
                return nil
            } catch {
                if isInBatch, let chain = error.chain {
                    queue.rewind(chain)
                    return nil
                }
                note(error)
                guard let chain = error.chain else {
                    isKicked = false
                    return nil
                }
                refusedChains &+= 1
                queue.complete(chain, byteCount: 0)
                // The descriptor that broke the rule was looked at too.
                pass.take(bytes: 0, segments: segments.discarded &+ 1)
                if !pass.hasRoom { return nil }
            }
        }
        return nil
    }

    /// Gives back a chain that cannot hold a frame, with length zero, and counts it.
    mutating func refuse(_ chain: DescriptorChain, of queue: inout SplitDeviceQueue) {
        counts.errors &+= 1
        refusedChains &+= 1
        queue.complete(chain.handle, byteCount: 0)
    }

    /// Interrupts the driver with `call` from now on, until the next start or stop.
    mutating func bindCall(_ call: SharedEventFD?) {
        self.call = call
        callDescriptor = call?.descriptor
    }

    /// Where a queue stood when a batch began.
    struct BatchStart {
        fileprivate let taken: UInt16
        fileprivate let refusedChains: UInt64
        let returned: UInt16
    }

    /// Begins a batch.
    func beginBatch(of queue: borrowing SplitDeviceQueue) -> BatchStart {
        BatchStart(
            taken: queue.chainsTaken, refusedChains: refusedChains, returned: queue.chainsReturned)
    }

    /// Ends a batch: shows the driver what was completed since `start`, and interrupts it if it asked.
    ///
    /// The ring says here how many frames it gave or took, whatever the batch has counted itself.
    mutating func finishBatch(of queue: inout SplitDeviceQueue, since start: BatchStart) {
        let refused = refusedChains &- start.refusedChains
        switch role {
        case .receive:
            account.left &+= UInt64(queue.chainsReturned &- start.returned) &- refused
        case .transmit:
            account.entered &+= UInt64(queue.chainsTaken &- start.taken)
            account.malformed &+= refused
        case .control, .request: break
        }
        guard queue.chainsReturned != start.returned, queue.publish(), let callDescriptor else { return }
        counts.calls &+= 1
        if let errno = EventFD.signal(callDescriptor), callRefusal == nil { callRefusal = errno }
    }

    /// Makes the counts visible to other threads.
    func publishCounts() { counters.publish(counts, account) }
}
