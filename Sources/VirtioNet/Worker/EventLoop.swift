internal import CIOUring
internal import IOUring
internal import SystemPackage
internal import VirtQueue

/// What a completion belongs to, in its user data.
private enum Kind {
    static let mailbox: UInt8 = 1
    static let port: UInt8 = 2
    static let signal: UInt8 = 3
    static let batch: UInt8 = 4
}

/// What a packet worker waits for, and its port I/O: one io_uring behind both.
///
/// Four kinds of completion come out of the ring. Letters, a readable port and the signals of the queues
/// (up to three; kicks for a device, calls for a driver) are only noted here; the worker looks at them between two batches.
/// The results of a batch are collected by ``waitForBatch()``, and no batch outlives that call: its transfers do
/// not wait for data or room, so that nothing has to be cancelled at a stop. Polls are
/// multishot and nothing polled is ever read, as the kernel's vhost does it: an eventfd's poll completes at
/// every signal.
struct EventLoop<Item: BitwiseCopyable>: ~Copyable {
    /// One queue's eventfd, and the number that tells its polls from those of one bound earlier.
    private struct Signal: ~Copyable {
        var source: EventFD?
        var generation: UInt16 = 0
        var count = 0
    }

    private var ring: IOUring
    private let mailbox: FileDescriptor
    private let port: FileDescriptor?
    private var first = Signal()
    private var second = Signal()
    private var third = Signal()

    /// The port I/O that is being made.
    var batch: Batch<Item>
    /// Set when letters may be waiting.
    var isMailWaiting = true
    /// Set when the port may have frames; whoever finds it empty clears it.
    var isPortReadable = false

    /// Makes the ring, which belongs to the calling thread from now on, and polls `mailbox` and `port`.
    ///
    /// Both descriptors must outlive the loop.
    init(mailbox: FileDescriptor, port: FileDescriptor?, batchSize: Int) throws(VirtioNetError) {
        // Room for a batch and every poll with its cancellation; completions for several kicks on top of it.
        ring = try Self.makeRing(submissionEntries: 2 * batchSize, completionEntries: 8 * batchSize)
        self.mailbox = mailbox
        self.port = port
        batch = Batch(capacity: batchSize)
        armMailbox()
        armPort()
    }

    private static func makeRing(
        submissionEntries: Int, completionEntries: Int
    ) throws(VirtioNetError) -> IOUring {
        do throws(IOUringError) {
            return try IOUring(submissionEntries: submissionEntries, completionEntries: completionEntries)
        } catch {
            throw VirtioNetError(.ring(error))
        }
    }

    // MARK: Signals

    /// Polls `descriptor`, an eventfd, as the signal of queue `index` from now on, instead of what was polled
    /// before. One that is signalled already counts at once. The loop duplicates the descriptor. Whoever binds a
    /// signal takes its signals on every pass: the loop does not sleep on them.
    mutating func bind(_ descriptor: FileDescriptor?, queue index: Int) {
        let old = withSignal(index) { signal in
            defer { signal.generation &+= 1 }
            signal.source = descriptor.flatMap { try? EventFD(duplicating: $0) }
            return UserData(kind: Kind.signal, queue: index, generation: signal.generation)
        }
        queue { $0.cancel(old) }
        armSignal(index)
    }

    /// How often queue `index` was signalled since the last call; signals close together count as one.
    mutating func takeSignals(queue index: Int) -> Int {
        withSignal(index) { signal in
            defer { signal.count = 0 }
            return signal.count
        }
    }

    /// Signals have come that nobody has taken yet.
    var hasSignals: Bool { first.count > 0 || second.count > 0 || third.count > 0 }

    private mutating func withSignal<Answer>(_ index: Int, _ body: (inout Signal) -> Answer) -> Answer {
        switch index {
        case 0: body(&first)
        case 2: body(&third)
        default: body(&second)
        }
    }

    // MARK: Requests

    private mutating func armMailbox() {
        poll(mailbox, UserData(kind: Kind.mailbox))
    }

    private mutating func armPort() {
        guard let port else { return }
        poll(port, UserData(kind: Kind.port))
    }

    private mutating func armSignal(_ index: Int) {
        let (descriptor, generation) = withSignal(index) { ($0.source?.descriptor, $0.generation) }
        guard let descriptor else { return }
        poll(descriptor, UserData(kind: Kind.signal, queue: index, generation: generation))
    }

    private mutating func poll(_ descriptor: FileDescriptor, _ data: UserData) {
        queue { $0.pollAdd(.plain(descriptor), .input, multishot: true, userData: data) }
    }

    /// Adds to the batch a write of one frame to the port from `count` vectors, which stay until
    /// ``waitForBatch()``.
    mutating func write(_ item: Item, from vectors: UnsafePointer<iovec>, count: Int) {
        guard let port else { return }
        let data = UserData(kind: Kind.batch, slot: batch.append(item))
        queue { unsafe $0.writev(.plain(port), from: vectors, count: count, waits: false, userData: data) }
    }

    /// Adds to the batch a write of one frame that stands in `bytes`.
    mutating func write(_ item: Item, from bytes: UnsafeRawBufferPointer) {
        guard let port else { return }
        let data = UserData(kind: Kind.batch, slot: batch.append(item))
        queue { unsafe $0.write(.plain(port), from: bytes, waits: false, userData: data) }
    }

    /// Adds to the batch a read of one frame into `count` vectors, which stay until ``waitForBatch()``.
    mutating func read(_ item: Item, into vectors: UnsafePointer<iovec>, count: Int) {
        guard let port else { return }
        let data = UserData(kind: Kind.batch, slot: batch.append(item))
        queue { unsafe $0.readv(.plain(port), into: vectors, count: count, waits: false, userData: data) }
    }

    /// Adds to the batch a read of one frame into `bytes`.
    mutating func read(_ item: Item, into bytes: UnsafeMutableRawBufferPointer) {
        guard let port else { return }
        let data = UserData(kind: Kind.batch, slot: batch.append(item))
        queue { unsafe $0.read(.plain(port), into: bytes, waits: false, userData: data) }
    }

    /// Queues one request; where the submission queue is full, what is in it goes first.
    private mutating func queue(_ request: (inout IOUring) -> Bool) {
        if request(&ring) { return }
        attempt { ring throws(IOUringError) in try ring.submit() }
        guard request(&ring) else { fatalError("an io_uring has no room after a submit") }
    }

    // MARK: Completions

    /// Submits the batch and waits until every result is there: one system call, as a rule.
    mutating func waitForBatch() {
        while batch.pending > 0 {
            let count = batch.pending
            attempt { ring throws(IOUringError) in _ = try ring.submitAndWait(count: count) }
            takeCompletions()
        }
    }

    /// Notes the events that are there, without waiting; a system call only where the kernel has any.
    mutating func collect() {
        if ring.queuedSubmissions > 0 || ring.hasPendingWork {
            attempt { ring throws(IOUringError) in try ring.submitAndPoll() }
        }
        takeCompletions()
    }

    /// Sleeps until there is an event, or until `timeout` is over. `false` where it is over.
    ///
    /// Letters and signals that came with the results of a batch are events that the kernel has told already, and
    /// will not tell again: it does not sleep on them. A readable port is up to the worker, which may have no room
    /// for what it would read.
    @discardableResult
    mutating func sleep(timeout: Duration? = nil) -> Bool {
        if isMailWaiting || hasSignals {
            collect()
            return true
        }
        var outcome = WaitOutcome.ready
        attempt { ring throws(IOUringError) in outcome = try ring.submitAndWait(count: 1, timeout: timeout) }
        takeCompletions()
        return outcome == .ready
    }

    private mutating func takeCompletions() {
        while let completion = ring.nextCompletion() { note(completion) }
    }

    private mutating func note(_ completion: Completion) {
        let data = completion.userData
        switch data.kind {
        case Kind.batch:
            batch.finish(slot: data.slot, result: completion.result)
        case Kind.mailbox:
            isMailWaiting = true
            if !completion.hasMore { armMailbox() }
        case Kind.port:
            isPortReadable = true
            if !completion.hasMore { armPort() }
        case Kind.signal:
            let isCurrent = withSignal(data.queue) { signal in
                guard signal.generation == data.generation else { return false }
                signal.count += 1
                return true
            }
            if isCurrent, !completion.hasMore { armSignal(data.queue) }
        default:
            break
        }
    }

    /// A ring that refuses a submission for any reason but completions that want to be taken first is a broken
    /// invariant of this process, not an event it can go on from.
    private mutating func attempt(_ call: (inout IOUring) throws(IOUringError) -> Void) {
        do throws(IOUringError) {
            try call(&ring)
        } catch {
            guard error.code == .completionsPending else { fatalError("\(error)") }
        }
    }
}
