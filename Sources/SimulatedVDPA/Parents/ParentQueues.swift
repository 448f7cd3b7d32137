internal import VirtQueue
internal import Virtio
internal import VirtioDevice

/// The virtqueues of a device: what the driver set of each, and which of them the data path runs.
///
/// A queue runs while the device does, it is ready and it was made ready with a ring. The position of a queue that runs
/// is the data path's. Control thread only.
final class ParentQueues {
    private struct ParentQueue {
        /// The ring size; set by the driver, 0 at creation.
        var size: UInt32 = 0
        var addresses = RingAddresses.zero
        var isReady = false
        /// The next avail index the device takes, while the queue is stopped.
        var base: UInt16 = 0
        /// What an enable from 0 to 1 froze; later changes of size and addresses wait for the next one.
        var armed: Ring?
        /// The data path runs the queue.
        var isStarted = false
    }

    /// What a queue is started with.
    private struct Ring {
        var layout: RingLayout
        var features: VirtioFeatures
    }

    private var queues: [ParentQueue]
    /// The device runs: DRIVER_OK is set and no suspend took it back.
    private var isRunning = false
    private let dataPath: any DataPath

    /// Takes the `count` queues of a data path, all of them stopped.
    init(count: Int, dataPath: any DataPath) {
        queues = Array(repeating: ParentQueue(), count: count)
        self.dataPath = dataPath
    }

    // MARK: What the driver sets

    func setSize(_ size: UInt32, queue: Int) { queues[queue].size = size }

    func setAddresses(_ addresses: RingAddresses, queue: Int) { queues[queue].addresses = addresses }

    func setBase(_ base: UInt16, queue: Int) { queues[queue].base = base }

    /// The ring size that was set; 0 where none was.
    func size(of queue: Int) -> UInt32 { queues[queue].size }

    /// The ring position: the next avail index the queue takes.
    func base(of queue: Int) -> UInt16 {
        queues[queue].isStarted ? dataPath.position(of: queue) : queues[queue].base
    }

    func isReady(_ queue: Int) -> Bool { queues[queue].isReady }

    /// Starts the queue, as soon as the device runs, or stops it. `features` are those the data path is to go by.
    func setReady(_ isReady: Bool, queue: Int, features: VirtioFeatures) {
        let wasReady = queues[queue].isReady
        queues[queue].isReady = isReady
        if isReady, !wasReady { arm(queue, features) }
        if isReady { startIfAllowed(queue) } else { stop(queue) }
    }

    func setKick(_ file: EventFile?, queue: Int) { dataPath.bindKick(file?.event, queue: queue) }

    func setCall(_ file: EventFile?, queue: Int) { dataPath.bindCall(file?.event, queue: queue) }

    // MARK: Running

    /// The queues that process descriptors now.
    var running: [Int] { queues.indices.filter { queues[$0].isStarted } }

    /// Starts every queue that may run.
    func run() {
        isRunning = true
        for queue in queues.indices { startIfAllowed(queue) }
    }

    /// Stops every queue that runs.
    func halt() {
        isRunning = false
        for queue in queues.indices { stop(queue) }
    }

    /// Stops every queue that runs, and keeps the kicks that come from now on.
    func suspend() {
        dataPath.holdKicks()
        halt()
    }

    /// Starts the queues again and kicks each where a kick in the meantime was kept.
    func resume() {
        let wasKicked = dataPath.releaseKicks()
        run()
        guard wasKicked else { return }
        for queue in running { dataPath.kick(queue) }
    }

    /// Stops everything and forgets what a device reset forgets. Kick descriptors stay bound: vhost polls on.
    func reset(forgetsSizes: Bool) {
        halt()
        for queue in queues.indices {
            queues[queue] = ParentQueue(size: forgetsSizes ? 0 : queues[queue].size)
            dataPath.bindCall(nil, queue: queue)
        }
    }

    /// Freezes what an enable sees. A size no ring can have leaves the previous ring, as vringh does.
    private func arm(_ queue: Int, _ features: VirtioFeatures) {
        let state = queues[queue]
        guard let size = UInt16(exactly: state.size), size.nonzeroBitCount == 1 else { return }
        queues[queue].armed = Ring(
            layout: RingLayout(size: size, addresses: state.addresses), features: features)
    }

    private func startIfAllowed(_ queue: Int) {
        let state = queues[queue]
        guard isRunning, state.isReady, !state.isStarted, let ring = state.armed else { return }
        dataPath.startQueue(queue, layout: ring.layout, features: ring.features, base: state.base)
        queues[queue].isStarted = true
    }

    private func stop(_ queue: Int) {
        guard queues[queue].isStarted else { return }
        queues[queue].base = dataPath.stopQueue(queue)
        queues[queue].isStarted = false
    }
}
