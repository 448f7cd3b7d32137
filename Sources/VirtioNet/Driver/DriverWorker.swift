internal import GuestMemory
internal import IOUring
internal import LinuxHost
internal import VirtQueue
internal import WorkerRuntime

/// The guest's thread: the network driver of one queue pair and the port that feeds it.
///
/// It owns the driver side of both rings and runs whether or not the device does: while the device is stopped
/// the transmit ring fills up and the receive ring waits, as in a guest whose VMM switches its device. Frames
/// stand in one buffer each, header and all.
struct DriverWorker: ~Copyable {
    /// How long a frame may take from the transmit ring back to the receive ring.
    private static let returnTimeout = Duration.milliseconds(100)

    /// What a person calls it.
    static let title = "the guest's driver"

    var loop: EventLoop
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

    var isEnding = false
    /// The last pass ended in sleep.
    private(set) var hasSlept = false
    let counters: DriverCounters
    private let firstFailure: FirstFailure

    init(
        port: consuming GuestPort, box: CommandBox<DriverWorker>, memory: DriverMemory,
        configuration: DriverConfiguration, signals: [QueueSignals], counters: DriverCounters,
        firstFailure: FirstFailure
    ) throws(VirtioNetError) {
        let loop: EventLoop
        do throws(IOUringError) {
            loop = try EventLoop(
                commands: box.wake.descriptor, port: port.descriptor, signals: 2,
                batchSize: FileGuest.batchSize)
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
        self.firstFailure = firstFailure
        pool = BufferPool(memory.buffers)
        generator = FrameGenerator(configuration)
    }

    /// Serves until a command from `box`, the one the worker was made with, sets ``isEnding``.
    ///
    /// A worker whose loop has failed notes it, and goes on answering commands.
    mutating func run(_ box: CommandBox<DriverWorker>) {
        loop.bind(receive.signals.call.descriptor, signal: 0)
        loop.bind(transmit.signals.call.descriptor, signal: 1)
        receive.post(from: &pool)
        while !box.isDeaf {
            if loop.hasCommands {
                loop.hasCommands = false
                box.deliver(to: &self) { $0.isEnding }
                // Whoever wrote the last command may unmap guest memory as soon as it is answered.
                if isEnding { break }
            }
            if loop.hasFailed {
                if let cause = loop.failure {
                    firstFailure.note(WorkerFailure(worker: Self.title, cause))
                }
                loop.waitForCommands()
                continue
            }
            let moved = serve()
            publishCounts()
            // A device that is not woken waits for ever.
            if let errno = receive.kickRefusal ?? transmit.kickRefusal {
                loop.fail(EventLoopFailure(signalRefused: errno))
            }
            hasSlept = !moved && isReadyToSleep()
            if hasSlept { sleep() } else { loop.collect() }
        }
        loop.releasePort()
    }

    /// Reaps both rings and sends what the port has. Returns whether anything moved.
    private mutating func serve() -> Bool {
        receive.counts.calls &+= UInt64(loop.takeSignals(0))
        transmit.counts.calls &+= UInt64(loop.takeSignals(1))
        let hasReceived = serveReceive()
        let hasSent = serveTransmit()
        return hasReceived || hasSent
    }

    /// Hands a batch of received frames to the guest's port and posts fresh buffers. Returns whether any came.
    ///
    /// The ring says what entered, and whoever takes the frames says what left: the ledger, the port or the pool.
    private mutating func serveReceive() -> Bool {
        let chains =
            switch port.kind {
            case .generator: GeneratorGuest.check(&receive, &pool, &generator, &recorder)
            case .file: fileGuest.forward(&receive, &pool, &loop, &recorder)
            case .none: DiscardGuest.drop(&receive, &pool, &recorder)
            }
        receive.count(chains)
        guard !chains.isNone else { return false }
        receive.post(from: &pool)
        return true
    }

    /// Takes sent buffers back and sends a batch of what the port has. Returns whether it is worth while to look again.
    private mutating func serveTransmit() -> Bool {
        let count: Int
        switch port.kind {
        case .generator: count = GeneratorGuest.send(&transmit, &pool, &generator, &recorder)
        case .file:
            count = fileGuest.send(&transmit, &pool, &loop, &recorder)
            // Where every frame was dropped, or one came after the last read, there may be more to read.
            if count == 0, loop.batchCount > 0, loop.isPortReadable { return true }
        case .none: count = 0
        }
        if count > 0 { transmit.publish() }
        return count > 0
    }

    /// Sleeps until there is an event. Frames that have left the transmit ring and do not come back for a while
    /// are not waited for: a device may drop one.
    private mutating func sleep() {
        guard generator.isWaitingForReturn else {
            loop.sleep()
            return
        }
        if loop.sleep(timeout: Self.returnTimeout) { return }
        transmit.reapSent(into: &pool)
        if transmit.queue.inFlight == 0 { generator.stopWaiting() }
    }

    /// Asks the device for calls where the driver waits. `false` where something has been returned meanwhile.
    private mutating func isReadyToSleep() -> Bool {
        if receive.queue.requestCalls() { return false }
        // Sent buffers are news only where there is something to send and no room for it.
        guard isWaitingForRoom else { return true }
        let inFlight = transmit.queue.inFlight
        return inFlight == 0 || !transmit.queue.requestCalls(after: max(1, inFlight / 2))
    }

    private var isWaitingForRoom: Bool {
        switch port.kind {
        case .generator: generator.room > 0
        case .file: loop.isPortReadable
        case .none: false
        }
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
        while serveReceive() {}
        transmit.reapSent(into: &pool)
        while let token = transmit.queue.detach() {
            let token = BufferPool.Token(rawValue: token)
            if case .generator = port.kind { generator.abandon(pool.sequence(token)) }
            transmit.counts.drops &+= 1
            transmit.account.abandoned &+= 1
            pool.put(token)
        }
        if abandonsInFlight { generator.abandonInFlight() }
        generator.stopWaiting()
        while let token = receive.queue.detach() { pool.put(BufferPool.Token(rawValue: token)) }
        unsafe try receive.replaceQueue(memory.ring(0), new)
        unsafe try transmit.replaceQueue(memory.ring(1), new)
        configuration = new
        receive.post(from: &pool)
    }

    /// Gives up the generated frames that the device had taken and not yet brought back: one that is reset while it runs
    /// may drop them. The device must be stopped; the rings go on, and what stands in the transmit ring is sent once more.
    mutating func abandonInFlight() {
        guard case .generator = port.kind else { return }
        while serveReceive() {}
        transmit.reapSent(into: &pool)
        var waiting: Set<UInt64> = []
        for token in transmit.queue.tokensInFlight {
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
        while left > 0, serveReceive() { left -= FileGuest.batchSize }
        transmit.reapSent(into: &pool)
        publishCounts()
    }

    /// Whether every buffer of the second block is back, so that its memory may go. The pool lets go of it then.
    mutating func dropSecondBuffers() -> Bool {
        transmit.reapSent(into: &pool)
        return pool.dropSecond()
    }

    /// Makes the counts visible to other threads.
    mutating func publishCounts() {
        transmit.account.pending = UInt64(transmit.queue.inFlight)
        counters.publish(
            receive: receive.counts, receive.account, transmit: transmit.counts, transmit.account,
            frames: generator.counts)
    }
}
