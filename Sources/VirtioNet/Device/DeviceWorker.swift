internal import GuestMemory
internal import IOUring
internal import LinuxHost
internal import SystemPackage
internal import VirtQueue
internal import Virtio
internal import VirtioDevice
internal import WorkerRuntime

/// The thread of a simulated device: serves one queue pair and one port from one io_uring.
///
/// Work comes in batches. A batch pops chains, moves their frames and completes them before anything else
/// happens, so that between two batches nothing is in flight: that is where commands of the control thread are
/// read, and why a stopped queue's position is exact. Receive chains are popped only when the port has data.
/// The rings' format is that of the features, which come later than the worker: each pass is a visit of it.
struct DeviceWorker: ~Copyable, EventLoopWorker, DeviceQueueVisitor {
    /// Room for a batch of chains of this many segments each; one longer than the rest of it is refused.
    private static let segmentsPerChain = 64

    /// What a person calls it.
    static let title = "the simulated device's worker"

    var loop: EventLoop
    var progress = WorkerProgress()
    let port: WirePort
    /// Takes every frame that passes ``port``, where they are recorded.
    var recorder: CaptureWriter?

    var receive: FrameQueue
    var transmit: FrameQueue

    /// The segments of the chains of one batch.
    var segments = SegmentBuffer(capacity: FileWire.batchSize * segmentsPerChain)
    /// Moves frames where ``port`` is a file.
    var fileWire = FileWire()

    /// Makes the worker of the calling thread, which polls `commands`, with its queues stopped.
    init(
        port: consuming WirePort, commands: FileDescriptor, receive: consuming FrameQueue,
        transmit: consuming FrameQueue
    ) throws(VirtioNetError) {
        do throws(IOUringError) {
            loop = try EventLoop(
                commands: commands, port: port.descriptor, signals: 2, batchSize: FileWire.batchSize)
        } catch {
            throw VirtioNetError(.ring(error))
        }
        recorder = port.recorder
        self.port = port
        self.receive = receive
        self.transmit = transmit
    }

    func publishCounts() {
        receive.publishCounts()
        transmit.publishCounts()
    }

    /// Why the driver was not called.
    var signalRefusal: Errno? { receive.served.callRefusal ?? transmit.served.callRefusal }

    /// What it has recorded goes to the capture's file.
    mutating func finish() { recorder = nil }

    /// Moves one batch in each direction the port has. Returns whether anything moved.
    mutating func serve() -> Bool {
        transmit.served.receiveKicks(loop.takeSignals(1))
        receive.served.receiveKicks(loop.takeSignals(0))
        transmit.served.resolveRing()
        receive.served.resolveRing()
        // Asked before the visit, which has the whole worker.
        let format = transmit.served.format
        return format.visit(&self)
    }

    // MARK: Wires

    /// One pass over rings of one type, which is specialised for it: within, nobody asks for the format.
    mutating func visit<Queue: DeviceQueue & ~Copyable>(_ type: Queue.Type) -> Bool {
        switch port.kind {
        case .loopback:
            return reflect(type)
        case .none:
            return discard(type)
        case .file:
            let sent = transmitToPort(type)
            let received = receiveFromPort(type)
            return sent || received
        }
    }

    /// One pass of a wire that gives frames back; nothing to do before both rings may have chains.
    mutating func reflect<Queue: DeviceQueue & ~Copyable>(_ type: Queue.Type) -> Bool {
        guard transmit.served.isKicked, receive.served.isKicked, transmit.served.hasRing,
            receive.served.hasRing,
            var outgoing = transmit.served.takeRing(as: type),
            var incoming = receive.served.takeRing(as: type)
        else { return false }
        let moved = LoopbackWire.exchange(
            &outgoing, &transmit, &incoming, &receive, &segments, &recorder)
        receive.served.putBack(incoming)
        transmit.served.putBack(outgoing)
        return moved
    }

    /// One pass of a wire that ends in nothing.
    mutating func discard<Queue: DeviceQueue & ~Copyable>(_ type: Queue.Type) -> Bool {
        guard var queue = transmit.served.takeRing(as: type) else { return false }
        let moved = DiscardWire.drop(&queue, &transmit, &segments, &recorder)
        transmit.served.putBack(queue)
        return moved
    }

    /// One batch of frames for the port's file.
    mutating func transmitToPort<Queue: DeviceQueue & ~Copyable>(_ type: Queue.Type) -> Bool {
        guard var queue = transmit.served.takeRing(as: type) else { return false }
        let moved = fileWire.send(&queue, &transmit, &loop, &segments, &recorder)
        transmit.served.putBack(queue)
        return moved
    }

    /// One burst of frames from the port's file, where it may have any.
    mutating func receiveFromPort<Queue: DeviceQueue & ~Copyable>(_ type: Queue.Type) -> Bool {
        guard loop.isPortReadable, var queue = receive.served.takeRing(as: type) else {
            return false
        }
        let moved = fileWire.receive(&queue, &receive, &loop, &segments, &recorder)
        receive.served.putBack(queue)
        return moved
    }

    // MARK: Sleep

    /// Asks the driver for kicks where the device waits for chains. `false` where some have come meanwhile.
    mutating func isReadyToSleep() -> Bool {
        transmit.served.dropEmptyKick()
        if transmit.served.askForKicks() { return false }
        // More receive buffers are news only to somebody who has waited for them.
        return !(receive.served.askForKicks() && isWaitingForBuffers)
    }

    /// Whether frames are held up for want of receive chains.
    private var isWaitingForBuffers: Bool {
        switch port.kind {
        case .loopback: transmit.served.isKicked
        case .file: loop.isPortReadable
        case .none: false
        }
    }

    /// Runs `body` on a queue, by the number that it has in a device of this pair alone.
    mutating func withQueue<Answer>(_ index: Int, _ body: (inout FrameQueue) -> Answer) -> Answer {
        index == 0 ? body(&receive) : body(&transmit)
    }

    /// Looks at a queue as if the driver had kicked it.
    mutating func kick(_ index: Int) {
        withQueue(index) { $0.served.receiveKicks() }
    }

    /// Takes the kicks that were made before this moment, while their queues are still what they were: those of a
    /// queue that is not started are lost, and not there for the start that follows.
    mutating func takeEarlierKicks() {
        loop.collect()
        transmit.served.receiveKicks(loop.takeSignals(1))
        receive.served.receiveKicks(loop.takeSignals(0))
    }
}
