package import CIOUring
internal import Glibc
package import IOUring
package import LinuxHost
package import SystemPackage

/// What a completion belongs to, in its user data.
private enum Kind {
    static let commands: UInt8 = 1
    static let port: UInt8 = 2
    static let signal: UInt8 = 3
    static let batch: UInt8 = 4
}

/// What a packet worker waits for, and its port I/O: one io_uring behind both.
///
/// Four kinds of completion come out of the ring. Commands, a readable port and signals (kicks for a device, calls for
/// a driver) are only noted here; the worker looks at them between two batches.
/// The results of a batch are collected by ``waitForBatch()``, and no batch outlives that call: its transfers do
/// not wait for data or room, so that nothing has to be cancelled at a stop. Polls are
/// multishot and nothing polled is ever read, as the kernel's vhost does it: an eventfd's poll completes at
/// every signal.
///
/// What io_uring_enter(2) refuses for a moment is tried again, with completions taken and commands looked at in between.
/// What it refuses for good ends the loop: ``failure`` says why, the batch in the making gets that errno for results,
/// no later call does anything, and ``waitForCommands()`` is what remains.
public struct EventLoop: ~Copyable {
    private(set) var ring: IOUring
    private let commands: FileDescriptor
    private let port: FileDescriptor?
    private var signals: SignalTable
    /// The results of the port I/O that is being made.
    private var batch: IOBatch
    /// Set when commands may be waiting.
    @usableFromInline package var hasCommands = true
    /// Set when the port may have frames; whoever finds it empty clears it.
    package var isPortReadable = false
    /// The port is not polled any more: its file is in error, as a TAP's whose interface is gone, or it is released.
    private var isPortBroken = false
    /// A poll of the port is in the ring.
    private var isPortPolled = false

    /// Why the loop does nothing any more.
    package private(set) var failure: EventLoopFailure?
    /// The same in one byte, for the worker's pass.
    @usableFromInline package private(set) var hasFailed = false
    private var patience = RefusalPatience()

    /// Makes the ring, which belongs to the calling thread from now on, and polls `commands` and `port`. Of `signals`
    /// eventfds none is bound.
    ///
    /// Both descriptors must outlive the loop.
    package init(
        commands: FileDescriptor, port: FileDescriptor?, signals: Int, batchSize: Int
    ) throws(IOUringError) {
        // Room for a batch and every poll with its cancellation; completions for several kicks on top of it.
        ring = try IOUring(submissionEntries: 2 * batchSize, completionEntries: 8 * batchSize)
        self.commands = commands
        self.port = port
        self.signals = SignalTable(count: signals)
        batch = IOBatch(capacity: batchSize)
        armCommands()
        armPort()
    }

    // MARK: Signals

    /// Polls `descriptor`, an eventfd, as signal `index` from now on, instead of what was polled before. One that is
    /// signalled already counts at once. Whoever binds a signal takes its signals on every pass: the loop does not
    /// sleep on them.
    ///
    /// The descriptor must stay open until another one is bound or the loop ends.
    package mutating func bind(_ descriptor: FileDescriptor?, signal index: Int) {
        bind(descriptor, kept: nil, signal: index)
    }

    /// The same for an eventfd that the loop keeps open for as long as it polls it.
    package mutating func bind(shared event: SharedEventFD?, signal index: Int) {
        bind(event?.descriptor, kept: event, signal: index)
    }

    private mutating func bind(_ descriptor: FileDescriptor?, kept: SharedEventFD?, signal index: Int) {
        // The old one's poll keeps its file, and its descriptor is not needed to cancel it.
        let generation = signals.replace(index, by: descriptor, kept: kept)
        queue { $0.cancel(UserData(kind: Kind.signal, queue: index, generation: generation)) }
        armSignal(index)
    }

    /// How often signal `index` came since the last call; those close together count as one.
    package mutating func takeSignals(_ index: Int) -> Int { signals.take(index) }

    /// Signals have come that nobody has taken yet.
    package var hasSignals: Bool { signals.isAnyWaiting }

    // MARK: Requests

    private mutating func armCommands() {
        poll(commands, UserData(kind: Kind.commands))
    }

    private mutating func armPort() {
        guard let port else { return }
        isPortPolled = true
        poll(port, UserData(kind: Kind.port))
    }

    private mutating func armSignal(_ index: Int) {
        let (descriptor, generation) = signals.polled(index)
        guard let descriptor else { return }
        poll(descriptor, UserData(kind: Kind.signal, queue: index, generation: generation))
    }

    private mutating func poll(_ descriptor: FileDescriptor, _ data: UserData) {
        queue { $0.pollAdd(descriptor, .input, multishot: true, userData: data) }
    }

    /// Begins a batch of port I/O. Every result of the last one must have come.
    package mutating func beginBatch() { batch.removeAll() }

    /// How many transfers the batch has.
    package var batchCount: Int { batch.count }

    /// What the transfer at `slot` was answered: a number of bytes, or an errno below zero. After ``waitForBatch()``.
    package func result(_ slot: Int) -> Int32 { batch.result(slot) }

    /// Adds to the batch a write of one frame to the port from `count` vectors, which stay until
    /// ``waitForBatch()``. Returns its slot, as the three below do; in a loop that has failed it has its result already.
    package mutating func write(from vectors: UnsafePointer<iovec>, count: Int) -> Int {
        queueTransfer { ring, port, data in
            unsafe ring.writev(port, from: vectors, count: count, waits: false, userData: data)
        }
    }

    /// Adds to the batch a write of one frame that stands in `bytes`.
    package mutating func write(from bytes: UnsafeRawBufferPointer) -> Int {
        queueTransfer { ring, port, data in
            unsafe ring.write(port, from: bytes, waits: false, userData: data)
        }
    }

    /// Adds to the batch a read of one frame into `count` vectors, which stay until ``waitForBatch()``.
    package mutating func read(into vectors: UnsafePointer<iovec>, count: Int) -> Int {
        queueTransfer { ring, port, data in
            unsafe ring.readv(port, into: vectors, count: count, waits: false, userData: data)
        }
    }

    /// Adds to the batch a read of one frame into `bytes`.
    package mutating func read(into bytes: UnsafeMutableRawBufferPointer) -> Int {
        queueTransfer { ring, port, data in
            unsafe ring.read(port, into: bytes, waits: false, userData: data)
        }
    }

    /// Queues a transfer of the batch; one that cannot be gets the failure for a result.
    @inline(__always)
    private mutating func queueTransfer(
        _ request: (inout IOUring, FileDescriptor, UserData) -> Bool
    ) -> Int {
        guard let port else { preconditionFailure("a loop without a port has nothing to read or write") }
        let slot = batch.append()
        let data = UserData(kind: Kind.batch, slot: slot)
        if !queue({ request(&$0, port, data) }), let failure {
            batch.finishPending(result: -failure.errno.rawValue)
        }
        return slot
    }

    /// Queues one request; where the submission queue is full, what is in it goes first. `false` in a loop that has
    /// failed.
    @discardableResult
    private mutating func queue(_ request: (inout IOUring) -> Bool) -> Bool {
        if !hasFailed, request(&ring) { return true }
        return submitAndQueue(request)
    }

    @inline(never)
    private mutating func submitAndQueue(_ request: (inout IOUring) -> Bool) -> Bool {
        while !hasFailed {
            let isSubmitted = enter { ring throws(IOUringError) in try ring.submit() }
            if hasFailed { return false }
            if request(&ring) { return true }
            // The kernel has taken nothing: not for the moment, which may be for want of room for completions.
            if isSubmitted { fail(.noRoom) } else { takeCompletions() }
        }
        return false
    }

    // MARK: Completions

    /// Submits the batch and waits until every result is there: one system call, as a rule.
    package mutating func waitForBatch() {
        if hasFailed, let failure { batch.finishPending(result: -failure.errno.rawValue) }
        while batch.pending > 0 {
            let count = batch.pending
            enter { ring throws(IOUringError) in _ = try ring.submitAndWait(count: count) }
            takeCompletions()
        }
    }

    /// Notes the events that are there, without waiting; a system call only where the kernel has any.
    @usableFromInline
    package mutating func collect() {
        guard !hasFailed else { return }
        if ring.queuedSubmissions > 0 || ring.hasPendingWork {
            enter { ring throws(IOUringError) in try ring.submitAndPoll() }
        }
        takeCompletions()
    }

    /// Sleeps until there is an event, or until `timeout` is over. `false` where it is over.
    ///
    /// Commands and signals that came with the results of a batch are events that the kernel has told already, and
    /// will not tell again: it does not sleep on them. A readable port is up to the worker, which may have no room
    /// for what it would read.
    @usableFromInline
    @discardableResult
    package mutating func sleep(timeout: Duration? = nil) -> Bool {
        if hasCommands || hasSignals {
            collect()
            return true
        }
        guard !hasFailed else { return true }
        var outcome = WaitOutcome.ready
        enter { ring throws(IOUringError) in
            outcome = try ring.submitAndWait(count: 1, timeout: timeout)
        }
        takeCompletions()
        return outcome == .ready
    }

    private mutating func takeCompletions() {
        while !hasFailed, let completion = ring.nextCompletion() { note(completion) }
    }

    private mutating func note(_ completion: Completion) {
        let data = completion.userData
        switch data.kind {
        case Kind.batch:
            batch.finish(slot: data.slot, result: completion.result)
        case Kind.commands:
            hasCommands = true
            if !completion.hasMore, mayPollAgain(completion, "its eventfd") { armCommands() }
        case Kind.port:
            notePort(completion)
        case Kind.signal:
            let isCurrent = signals.note(data.queue, generation: data.generation)
            if isCurrent, !completion.hasMore, mayPollAgain(completion, "its eventfd") {
                armSignal(data.queue)
            }
        default:
            break
        }
    }

    /// A port in error completes every poll at once: it is read once more, for its errno, and polled no more. A poll
    /// that the kernel refused says nothing about the port.
    private mutating func notePort(_ completion: Completion) {
        isPortReadable = true
        if !completion.hasMore { isPortPolled = false }
        if !completion.events.isDisjoint(with: [.error, .hangUp]) { isPortBroken = true }
        if !completion.hasMore, !isPortBroken, mayPollAgain(completion, "its port") { armPort() }
    }

    /// Whether a poll that has ended is to be made again: not for ever where it ends with an error each time.
    private mutating func mayPollAgain(_ completion: Completion, _ file: StaticString) -> Bool {
        guard let errno = completion.error else {
            patience.pollSucceeded()
            return true
        }
        if patience.isOverForPolls() {
            fail(EventLoopFailure(pollRefused: errno, of: "\(file)"))
        } else {
            usleep(1000)
        }
        return !hasFailed
    }

    // MARK: Failure

    /// Makes a call that enters the kernel, and answers what it throws. `false` where it was refused.
    @discardableResult
    mutating func enter(_ call: (inout IOUring) throws(IOUringError) -> Void) -> Bool {
        do throws(IOUringError) {
            try call(&ring)
            patience.callSucceeded()
            return true
        } catch {
            answer(error)
            return false
        }
    }

    /// Whoever made the call takes the completions that are there and makes it again, or lets the worker do what else
    /// there is.
    @inline(never)
    private mutating func answer(_ error: IOUringError) {
        // A command does not wait for the kernel to come round.
        if error.isTransient { hasCommands = true }
        if !error.isTransient || patience.isOver(error) {
            fail(EventLoopFailure(error))
        } else {
            usleep(1000)
        }
    }

    /// Ends the loop; the first failure stays.
    package mutating func fail(_ cause: EventLoopFailure) {
        guard !hasFailed else { return }
        failure = cause
        hasFailed = true
        isPortReadable = false
        batch.finishPending(result: -cause.errno.rawValue)
    }

    // MARK: The end

    /// Lets go of the port, as the loop's last act with it: once its descriptor is closed the file is nobody's.
    ///
    /// The poll holds the file, and a ring that is closed lets go of its polls in the kernel's own time. Where it does not
    /// end for ``releasePatience`` that is left to the kernel all the same.
    @usableFromInline
    package mutating func releasePort() {
        isPortBroken = true
        guard isPortPolled, queue({ $0.cancel(UserData(kind: Kind.port)) }) else { return }
        var attempts = Self.releasePatience
        while isPortPolled, !hasFailed, attempts > 0 {
            attempts -= 1
            enter { ring throws(IOUringError) in
                _ = try ring.submitAndWait(count: 1, timeout: .milliseconds(1))
            }
            takeCompletions()
        }
    }

    /// How many milliseconds the end of a poll that was cancelled is waited for, at the most. It takes microseconds.
    private static var releasePatience: Int { 1000 }

    /// Waits for a command in a loop that has failed, without its ring.
    package mutating func waitForCommands() {
        var event = pollfd(fd: commands.rawValue, events: Int16(POLLIN), revents: 0)
        // A poll that is refused must not turn into a spin.
        if unsafe Glibc.poll(&event, 1, -1) < 0 { usleep(1000) }
        EventFD.drain(commands)
        hasCommands = true
    }
}
