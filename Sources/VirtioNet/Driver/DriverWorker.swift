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
    /// How many frames a batch moves between the guest's port and the rings.
    static let batchSize = 64
    /// How long a frame may take from the transmit ring back to the receive ring.
    static let returnTimeout = Duration.milliseconds(100)
    /// The fewest buffers that a burst of reads tries.
    static let smallestBurst = 8

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
    /// The buffers of one batch of port I/O.
    var buffers = Slots<BufferPool.Token>(capacity: batchSize)
    var generator: FrameGenerator

    var isEnding = false
    /// How many buffers the next burst of reads tries: grows with what the last one found.
    var burst = smallestBurst
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
                commands: box.wake.descriptor, port: port.descriptor, signals: 2, batchSize: Self.batchSize)
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
        postReceiveBuffers()
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
    }

    /// Reaps both rings and sends what the port has. Returns whether anything moved.
    private mutating func serve() -> Bool {
        receive.counts.calls &+= UInt64(loop.takeSignals(0))
        transmit.counts.calls &+= UInt64(loop.takeSignals(1))
        let hasReceived = serveReceive()
        let hasSent = serveTransmit()
        return hasReceived || hasSent
    }

    /// Sleeps until there is an event. Frames that have left the transmit ring and do not come back for a while
    /// are not waited for: a device may drop one.
    private mutating func sleep() {
        guard generator.isWaitingForReturn else {
            loop.sleep()
            return
        }
        if loop.sleep(timeout: Self.returnTimeout) { return }
        reapTransmitted()
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

    /// Records a frame of `byteCount` bytes, header included, that passes the port, as its buffer has it.
    @inline(__always)
    mutating func record(_ direction: CaptureWriter.Direction, _ token: BufferPool.Token, byteCount: Int) {
        unsafe recorder?.record(direction, UnsafeRawBufferPointer(pool.bytes(token)), byteCount: byteCount)
    }

    /// Makes the counts visible to other threads.
    mutating func publishCounts() {
        transmit.account.pending = UInt64(transmit.queue.inFlight)
        counters.publish(
            receive: receive.counts, receive.account, transmit: transmit.counts, transmit.account,
            frames: generator.counts)
    }
}
