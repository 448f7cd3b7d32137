internal import IOUring
internal import SystemPackage
internal import VirtQueue
internal import Virtio
internal import VirtioDevice
internal import VirtioNet
internal import WorkerRuntime

/// The thread of a card's control queue, which knows the commands of a ``ControlCommandSet``.
///
/// A command whose header is not there is answered with an error, where mlx5 stops in front of it for good and QEMU's card
/// stands still. What the driver has negotiated is asked at every kick, as mlx5 does (`actual_features`).
struct ControlWorker: ~Copyable, EventLoopWorker {
    /// The longest chain is a ring of 256.
    private static let segmentCount = 512

    /// What a person calls it.
    static let title = "the simulated device's control queue"

    var loop: EventLoop
    var progress = WorkerProgress()
    var queue: FrameQueue
    /// The driver has negotiated VIRTIO_NET_F_CTRL_VQ; without it the queue rests, and a kick of it is lost.
    var hasControlQueue = false
    private let commands: ControlCommandSet
    private let configuration: ConfigurationSpace
    private var segments = SegmentBuffer(capacity: segmentCount)
    /// The command that is looked at: the card's own copy.
    private var page = PageBuffer()

    /// Makes the worker of the calling thread, which polls `orders`, with its queue stopped.
    init(
        orders: FileDescriptor, commands: ControlCommandSet, configuration: ConfigurationSpace,
        queue: consuming FrameQueue
    ) throws(VirtioNetError) {
        do throws(IOUringError) {
            loop = try EventLoop(commands: orders, port: nil, signals: 1, batchSize: 1)
        } catch {
            throw VirtioNetError(.ring(error))
        }
        self.queue = queue
        self.commands = commands
        self.configuration = configuration
    }

    func publishCounts() { queue.publishCounts() }

    /// Why the driver was not called.
    var signalRefusal: Errno? { queue.served.callRefusal }

    /// Asks the driver for a kick, which it makes with every command unless its features have it wait for that.
    mutating func isReadyToSleep() -> Bool {
        guard !queue.served.isKicked else { return false }
        return !queue.served.askForKicks()
    }

    /// Takes the kicks that were made before this moment: those of a queue that is not started are lost.
    mutating func takeEarlierKicks() {
        loop.collect()
        queue.served.receiveKicks(loop.takeSignals(0))
    }

    /// Answers every command there is. Returns whether there was any.
    mutating func serve() -> Bool {
        queue.served.receiveKicks(loop.takeSignals(0))
        guard hasControlQueue || !commands.needsFeature else {
            queue.served.loseKicks()
            return false
        }
        queue.served.resolveRing()
        guard var ring = queue.served.takeRing(as: AnyDeviceQueue.self) else { return false }
        let start = queue.served.beginBatch(of: ring)
        var pass = PassBudget(chains: ring.size)
        while pass.hasRoom {
            segments.removeAll()
            guard let chain = queue.served.nextChain(of: &ring, into: &segments, within: &pass) else { break }
            page.fill(from: chain, in: segments)
            pass.take(bytes: UInt32(page.count), segments: segments.count)
            page.fill(with: commands.answer(to: page, configuration))
            ring.complete(chain.handle, byteCount: UInt32(page.write(to: chain, in: segments)))
        }
        let moved = queue.finishBatch(of: &ring, since: start)
        queue.served.putBack(ring)
        return moved
    }
}
