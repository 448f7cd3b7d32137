internal import LinuxHost
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
        /// Where the ring goes on, while the queue is stopped.
        var state = QueueState.initial(.split)
        /// How far the used index is behind that: what the driver has moved the ring by since it was made ready.
        var usedLag: UInt16 = 0
        /// The driver's interrupt, which a start takes along.
        var call: SharedEventFD?
        /// What an enable from 0 to 1 froze, or the device's start; later changes of size and addresses wait for the next
        /// one.
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
    /// Since a suspend that neither a resume nor a reset has followed.
    private var isSuspended = false
    /// The ring that every queue has from a reset on.
    private let ringAfterReset: Ring?
    private let movesLiveRings: Bool
    private let takesRingsAtStart: Bool
    private let dataPath: any DataPath

    /// Takes the `count` queues of a data path, all of them stopped. With `movesLiveRings` a position that is set while a
    /// queue is ready is where its ring goes on, and the used index stays; else the next stop forgets it. With
    /// `takesRingsAtStart` a queue is started with the ring that the driver has set by then, else with that of the moment
    /// when it was enabled. A queue that is enabled without a size of its own has a ring of `sizeAfterReset` at address 0, or
    /// does not start.
    init(
        count: Int, movesLiveRings: Bool, takesRingsAtStart: Bool, sizeAfterReset: UInt16?,
        dataPath: any DataPath
    ) {
        self.takesRingsAtStart = takesRingsAtStart
        ringAfterReset = sizeAfterReset.map {
            Ring(layout: RingLayout(size: $0, addresses: .zero), features: [])
        }
        queues = Array(repeating: ParentQueue(armed: ringAfterReset), count: count)
        self.movesLiveRings = movesLiveRings
        self.dataPath = dataPath
    }

    // MARK: What the driver sets

    func setSize(_ size: UInt32, queue: Int) { queues[queue].size = size }

    func setAddresses(_ addresses: RingAddresses, queue: Int) { queues[queue].addresses = addresses }

    func setState(_ state: QueueState, queue: Int) {
        if movesLiveRings, queues[queue].isReady {
            let old = queues[queue].isStarted ? dataPath.move(queue, to: state) : queues[queue].state
            queues[queue].usedLag &+= state.base.availIndex &- old.base.availIndex
        }
        queues[queue].state = state
    }

    /// Where the ring is, as it was set.
    func addresses(of queue: Int) -> RingAddresses { queues[queue].addresses }

    /// The ring size that was set; 0 where none was.
    func size(of queue: Int) -> UInt32 { queues[queue].size }

    /// Where the ring stands: what was set, or what the data path says of a queue that runs.
    func state(of queue: Int) -> QueueState {
        queues[queue].isStarted ? dataPath.states(of: queue..<queue + 1)[0] : queues[queue].state
    }

    func isReady(_ queue: Int) -> Bool { queues[queue].isReady }

    /// Starts the queue, as soon as the device runs, or stops it. `features` are those the data path is to go by.
    func setReady(_ isReady: Bool, queue: Int, features: VirtioFeatures) {
        let wasReady = queues[queue].isReady
        queues[queue].isReady = isReady
        if isReady, !wasReady { arm(queue, features) }
        if isReady { start([queue]) } else { stop(queue..<queue + 1) }
    }

    func setKick(_ file: EventFile?, queue: Int) { dataPath.bindKick(file?.event, queue: queue) }

    /// The data path hears of it with the start of the queue, or now where the queue runs.
    func setCall(_ file: EventFile?, queue: Int) {
        queues[queue].call = file?.event
        if queues[queue].isStarted { dataPath.bindCall(file?.event, queue: queue) }
    }

    // MARK: Running

    /// The queues that process descriptors now.
    var running: [Int] { queues.indices.filter { queues[$0].isStarted } }

    /// Starts every queue that may run, of a device that is suspended as well. `features` are those the data path is to go
    /// by.
    func run(_ features: VirtioFeatures) {
        isRunning = true
        if isSuspended { dataPath.start([]) }
        if takesRingsAtStart {
            for queue in queues.indices where queues[queue].isReady && !queues[queue].isStarted {
                arm(queue, features)
            }
        }
        start(queues.indices)
    }

    /// Stops every queue that runs.
    func halt() {
        isRunning = false
        guard let first = running.first, let last = running.last else { return }
        stop(first..<last + 1)
    }

    /// Stops every queue that runs, and keeps the kicks that come from now on.
    func suspend() {
        isRunning = false
        isSuspended = true
        noteStopped(queues.indices, dataPath.suspend(queues.indices))
    }

    /// Starts the queues again, each with a kick where one in the meantime was kept.
    func resume() {
        isRunning = true
        isSuspended = false
        let starting = setups(of: queues.indices)
        dataPath.resume(starting)
        noteStarted(starting)
    }

    /// Stops everything and forgets what a device reset forgets. Kick descriptors stay bound: vhost polls on.
    func reset(forgetsSizes: Bool, keepsKicks: Bool) {
        halt()
        if isSuspended { dataPath.endSuspension(keepsKicks: keepsKicks) }
        isSuspended = false
        for queue in queues.indices {
            queues[queue] = ParentQueue(size: forgetsSizes ? 0 : queues[queue].size, armed: ringAfterReset)
        }
    }

    /// Freezes what the start of a queue is to see. A size no ring can have leaves the previous ring, as vringh does.
    private func arm(_ queue: Int, _ features: VirtioFeatures) {
        queues[queue].usedLag = 0
        let state = queues[queue]
        guard let size = UInt16(exactly: state.size), size.nonzeroBitCount == 1 else { return }
        queues[queue].armed = Ring(
            layout: RingLayout(size: size, addresses: state.addresses), features: features)
    }

    /// Starts those of `candidates` that may run and do not.
    private func start(_ candidates: some Sequence<Int>) {
        guard isRunning else { return }
        let starting = setups(of: candidates)
        guard !starting.isEmpty else { return }
        dataPath.start(starting)
        noteStarted(starting)
    }

    /// What those of `candidates` are to be started with that are ready and do not run.
    private func setups(of candidates: some Sequence<Int>) -> [QueueSetup] {
        candidates.compactMap { number in
            let queue = queues[number]
            guard queue.isReady, !queue.isStarted, let ring = queue.armed else { return nil }
            return QueueSetup(
                queue: number, layout: ring.layout, features: ring.features, state: queue.state,
                usedLag: queue.usedLag, call: queue.call)
        }
    }

    private func noteStarted(_ setups: [QueueSetup]) {
        for setup in setups { queues[setup.queue].isStarted = true }
    }

    /// Stops those of `range` that run.
    private func stop(_ range: Range<Int>) {
        guard range.contains(where: { queues[$0].isStarted }) else { return }
        noteStopped(range, dataPath.stop(range))
    }

    /// Keeps where those of `range` stand that ran. What the driver has set of the others stays.
    private func noteStopped(_ range: Range<Int>, _ states: [QueueState]) {
        for (queue, state) in zip(range, states) where queues[queue].isStarted {
            queues[queue].state = state
            queues[queue].isStarted = false
        }
    }
}
