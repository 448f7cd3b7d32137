internal import IOUring
internal import SystemPackage
internal import VirtQueue
internal import Virtio
internal import VirtioDevice
internal import VirtioNet
internal import WorkerRuntime

/// The thread of a card's control queue (`mlx5_cvq_kick_handler` in drivers/vdpa/mlx5/net/mlx5_vnet.c).
///
/// MAC_ADDR_SET changes the card's address, apart from one of zeros; everything else is an error. A command whose header
/// is not there is answered with one too, where mlx5 stops in front of it for good. What the driver has negotiated is asked
/// at every kick, as mlx5 does (`actual_features`).
struct ControlWorker: ~Copyable, EventLoopWorker {
    /// The longest chain is a ring of 256.
    private static let segmentCount = 512
    private static let addressByteCount = 6

    /// What a person calls it.
    static let title = "the simulated device's control queue"

    var loop: EventLoop
    var progress = WorkerProgress()
    var queue: FrameQueue
    /// The driver has negotiated VIRTIO_NET_F_CTRL_VQ; without it the queue rests, and a kick of it is lost.
    var hasControlQueue = false
    private let configuration: ConfigurationSpace
    private var segments = SegmentBuffer(capacity: segmentCount)
    /// The command that is looked at: the card's own copy.
    private var page = PageBuffer()

    /// Makes the worker of the calling thread, which polls `commands`, with its queue stopped.
    init(
        commands: FileDescriptor, configuration: ConfigurationSpace, queue: consuming FrameQueue
    ) throws(VirtioNetError) {
        do throws(IOUringError) {
            loop = try EventLoop(commands: commands, port: nil, signals: 1, batchSize: 1)
        } catch {
            throw VirtioNetError(.ring(error))
        }
        self.queue = queue
        self.configuration = configuration
    }

    func publishCounts() { queue.publishCounts() }

    /// Why the driver was not called.
    var signalRefusal: Errno? { queue.served.callRefusal }

    /// The ring never asks for anything: every command comes with a kick.
    func isReadyToSleep() -> Bool { !queue.served.isKicked }

    /// Takes the kicks that were made before this moment: those of a queue that is not started are lost.
    mutating func takeEarlierKicks() {
        loop.collect()
        queue.served.receiveKicks(loop.takeSignals(0))
    }

    /// Answers every command there is. Returns whether there was any.
    mutating func serve() -> Bool {
        queue.served.receiveKicks(loop.takeSignals(0))
        guard hasControlQueue else {
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
            page.fill(with: perform())
            ring.complete(chain.handle, byteCount: UInt32(page.write(to: chain, in: segments)))
        }
        let moved = queue.finishBatch(of: &ring, since: start)
        queue.served.putBack(ring)
        return moved
    }

    /// Does the command in the page and returns its answer.
    private func perform() -> UInt8 {
        guard let command = ControlCommand(page), command.commandClass == ControlCommand.macClass,
            command.number == ControlCommand.setAddress,
            page.count >= ControlCommand.headerByteCount + Self.addressByteCount
        else { return ControlCommand.error }
        let octets = page.address(at: ControlCommand.headerByteCount).octets
        guard octets.contains(where: { $0 != 0 }) else { return ControlCommand.error }
        configuration.write(octets, at: 0)
        return ControlCommand.ok
    }
}
