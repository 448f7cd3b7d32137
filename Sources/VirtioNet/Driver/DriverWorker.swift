internal import GuestMemory
internal import IOUring
internal import LinuxHost
internal import SystemPackage
internal import VirtQueue
internal import WorkerRuntime

/// The guest's thread: the network driver of one queue pair and the port that feeds it.
///
/// It owns the driver side of both rings and runs whether or not the device does: while the device is stopped
/// the transmit ring fills up and the receive ring waits, as in a guest whose VMM switches its device. Frames
/// stand in one buffer each, header and all. Each pass is a visit of the format that the rings have then.
struct DriverWorker: ~Copyable, EventLoopWorker, DriverQueueVisitor {
    /// How long a frame may take from the transmit ring back to the receive ring.
    private static let returnTimeout = Duration.milliseconds(100)

    /// What a person calls it.
    static let title = "the guest's driver"

    var loop: EventLoop
    var progress = WorkerProgress()
    let port: GuestPort
    /// Takes every frame that passes ``port``, where they are recorded.
    var recorder: CaptureWriter?
    let memory: DriverMemory
    var configuration: DriverConfiguration

    var receive: DriverQueueState
    var transmit: DriverQueueState
    var pool: BufferPool
    /// Makes and checks frames where ``port`` is the generator; idle elsewhere.
    var generator: FrameGenerator
    /// Moves frames where ``port`` is a file.
    private var fileGuest = FileGuest()

    let counters: DriverCounters

    /// Makes the worker of the calling thread, which polls `commands`: lays out the rings in `memory`, waits for their
    /// calls and posts the receive buffers.
    init(
        port: consuming GuestPort, commands: FileDescriptor, memory: DriverMemory,
        configuration: DriverConfiguration, signals: [QueueSignals], counters: DriverCounters
    ) throws(VirtioNetError) {
        let loop: EventLoop
        do throws(IOUringError) {
            loop = try EventLoop(
                commands: commands, port: port.descriptor, signals: 2, batchSize: FileGuest.batchSize)
        } catch {
            throw VirtioNetError(.ring(error))
        }
        let receive = unsafe try DriverQueueState(memory.ring(0), configuration, signals: signals[0])
        let transmit = unsafe try DriverQueueState(memory.ring(1), configuration, signals: signals[1])
        self.loop = loop
        self.receive = receive
        self.transmit = transmit
        recorder = port.recorder
        self.port = port
        self.memory = memory
        self.configuration = configuration
        self.counters = counters
        pool = BufferPool(memory.buffers)
        generator = FrameGenerator(configuration)
        self.loop.bind(signals[0].call.descriptor, signal: 0)
        self.loop.bind(signals[1].call.descriptor, signal: 1)
        postBuffers()
    }

    /// Why the device was not kicked.
    var signalRefusal: Errno? { receive.kickRefusal ?? transmit.kickRefusal }

    /// What it has recorded goes to the capture's file.
    mutating func finish() { recorder = nil }

    /// Reaps both rings and sends what the port has. Returns whether anything moved.
    mutating func serve() -> Bool {
        receive.counts.calls &+= UInt64(loop.takeSignals(0))
        transmit.counts.calls &+= UInt64(loop.takeSignals(1))
        // Asked before the visit, which has the whole worker.
        let format = configuration.format
        return format.visit(&self)
    }

    /// One pass over rings of one type, which is specialised for it: within, nobody asks for the format.
    mutating func visit<Queue: DriverQueue & ~Copyable>(_ type: Queue.Type) -> Bool {
        var incoming = receive.takeRing(as: type)
        let hasReceived = serveReceive(&incoming)
        receive.putBack(incoming)
        var outgoing = transmit.takeRing(as: type)
        let hasSent = serveTransmit(&outgoing)
        transmit.putBack(outgoing)
        return hasReceived || hasSent
    }

    /// Hands a batch of received frames to the guest's port and posts fresh buffers. Returns whether any came.
    ///
    /// The ring says what entered, and whoever takes the frames says what left: the ledger, the port or the pool.
    private mutating func serveReceive<Queue: DriverQueue & ~Copyable>(_ queue: inout Queue) -> Bool {
        let chains =
            switch port.kind {
            case .generator: GeneratorGuest.check(&queue, &receive, &pool, &generator, &recorder)
            case .file: fileGuest.forward(&queue, &receive, &pool, &loop, &recorder)
            case .none: DiscardGuest.drop(&queue, &receive, &pool, &recorder)
            }
        receive.count(chains, of: queue)
        guard !chains.isNone else { return false }
        receive.post(to: &queue, from: &pool)
        return true
    }

    /// Takes sent buffers back and sends a batch of what the port has. Returns whether it is worth while to look again.
    private mutating func serveTransmit<Queue: DriverQueue & ~Copyable>(_ queue: inout Queue) -> Bool {
        let count: Int
        switch port.kind {
        case .generator: count = GeneratorGuest.send(&queue, &transmit, &pool, &generator, &recorder)
        case .file:
            count = fileGuest.send(&queue, &transmit, &pool, &loop, &recorder)
            // Where every frame was dropped, or one came after the last read, there may be more to read.
            if count == 0, loop.batchCount > 0, loop.isPortReadable { return true }
        case .none: count = 0
        }
        if count > 0 { transmit.publish(&queue) }
        return count > 0
    }

    /// Sleeps until there is an event. Frames that have left the transmit ring and do not come back for a while
    /// are not waited for: a device may drop one.
    mutating func sleep() {
        guard generator.isWaitingForReturn else {
            loop.sleep()
            return
        }
        if loop.sleep(timeout: Self.returnTimeout) { return }
        reapSent()
        if transmit.inFlight == 0 { generator.stopWaiting() }
    }

    /// Asks the device for calls where the driver waits. `false` where something has been returned meanwhile.
    mutating func isReadyToSleep() -> Bool {
        if receive.requestCalls() { return false }
        // Sent buffers are news only where there is something to send and no room for it.
        guard isWaitingForRoom else { return true }
        let inFlight = transmit.inFlight
        return inFlight == 0 || !transmit.requestCalls(after: max(1, inFlight / 2))
    }

    private var isWaitingForRoom: Bool {
        switch port.kind {
        case .generator: generator.room > 0
        case .file: loop.isPortReadable
        case .none: false
        }
    }

    // MARK: One ring, of any format

    // For what runs once a command or a sleep: each call asks the ring for its format.

    private mutating func postBuffers() {
        var queue = receive.takeRing(as: AnyDriverQueue.self)
        receive.post(to: &queue, from: &pool)
        receive.putBack(queue)
    }

    private mutating func receiveOnce() -> Bool {
        var queue = receive.takeRing(as: AnyDriverQueue.self)
        let hasReceived = serveReceive(&queue)
        receive.putBack(queue)
        return hasReceived
    }

    private mutating func reapSent() {
        var queue = transmit.takeRing(as: AnyDriverQueue.self)
        transmit.reapSent(&queue, into: &pool)
        transmit.putBack(queue)
    }

    // MARK: Commands

    /// Starts over with empty rings, as a guest does whose driver is probed again or whose device lost the ring
    /// state. The device must be stopped.
    ///
    /// What the device has returned is taken first. A frame still in the transmit ring is given up: whether it
    /// was sent nobody can tell. `abandonsInFlight` gives up those too that the device had taken and not yet
    /// brought back: a device that is reset while it runs may drop them.
    mutating func reinitialise(
        _ new: DriverConfiguration, abandonsInFlight: Bool
    ) throws(VirtioNetError) {
        while receiveOnce() {}
        reapSent()
        while let token = transmit.detach() {
            let token = BufferPool.Token(rawValue: token)
            if case .generator = port.kind { generator.abandon(pool.sequence(token)) }
            transmit.counts.drops &+= 1
            transmit.account.abandoned &+= 1
            pool.put(token)
        }
        if abandonsInFlight { generator.abandonInFlight() }
        generator.stopWaiting()
        while let token = receive.detach() { pool.put(BufferPool.Token(rawValue: token)) }
        unsafe try receive.replaceQueue(memory.ring(0), new)
        unsafe try transmit.replaceQueue(memory.ring(1), new)
        configuration = new
        postBuffers()
    }

    /// Gives up the generated frames that the device had taken and not yet brought back: one that is reset while it runs
    /// may drop them. The device must be stopped; the rings go on, and what stands in the transmit ring is sent once more.
    mutating func abandonInFlight() {
        guard case .generator = port.kind else { return }
        while receiveOnce() {}
        reapSent()
        var waiting: Set<UInt64> = []
        for token in transmit.tokensInFlight {
            waiting.insert(pool.sequence(BufferPool.Token(rawValue: token)))
        }
        generator.abandonInFlight(except: waiting)
        publishCounts()
    }

    /// Whether the device has broken a ring by what it has returned so far, all of which is taken.
    mutating func findsBrokenRing() -> Bool {
        synchronise()
        return receive.failure != nil || transmit.failure != nil
    }

    /// Takes everything that the device has returned, and makes the counts what they are then.
    ///
    /// No more than a ring holds: a device that goes on returning frames is not waited for.
    mutating func synchronise() {
        var left = Int(configuration.queueSize)
        while left > 0, receiveOnce() { left -= FileGuest.batchSize }
        reapSent()
        publishCounts()
    }

    /// Whether every buffer of the second block is back, so that its memory may go. The pool lets go of it then.
    mutating func dropSecondBuffers() -> Bool {
        reapSent()
        return pool.dropSecond()
    }

    /// Makes the counts visible to other threads.
    mutating func publishCounts() {
        transmit.account.pending = UInt64(transmit.inFlight)
        counters.publish(
            receive: receive.counts, receive.account, transmit: transmit.counts, transmit.account,
            frames: generator.counts)
    }
}
