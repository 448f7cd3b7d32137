internal import GuestMemory
internal import LinuxHost
internal import Logging
internal import SystemPackage
internal import VirtQueue
internal import Virtio
internal import VirtioDevice

/// The queues' starts and stops, their kicks and interrupts, and what they translate through.
extension VDUSEService where Calls: ~Copyable {
    /// Notes that the driver has started the device: each queue starts with its first kick.
    mutating func run() {
        isRunning = true
        startCount += 1
    }

    /// Binds the kicks of queues that have none.
    mutating func bindKicks() throws(VDUSEError) {
        for index in queues.indices where queues[index].kick == nil {
            let kick: SharedEventFD
            do throws(Errno) {
                kick = try SharedEventFD()
            } catch {
                throw VDUSEError(.call, call: "eventfd", errno: error, context: Shortage.advice(error))
            }
            try calls.bindKick(kick.descriptor, queue: index)
            queues[index].kick = kick
        }
    }

    // MARK: Starts and stops

    /// Starts a queue that was kicked at the ring that the kernel knows, and has the kick served. One that cannot start
    /// stays kicked, and says why where that is wrong.
    mutating func start(_ index: Int) {
        do throws(VDUSEError) {
            if let setup = try setup(of: index) { start(setup) }
        } catch {
            refuse(index, "\(error)")
        }
    }

    /// What a queue that the driver has enabled starts with; `nil` where it cannot start.
    private mutating func setup(of index: Int) throws(VDUSEError) -> QueueSetup? {
        let queue = try calls.queue(index)
        guard queue.isReady else { return nil }
        guard let layout = queue.layout, layout.size.nonzeroBitCount == 1 else {
            refuse(index, "no ring has \(queue.size) descriptors")
            return nil
        }
        let features = try calls.driverFeatures().intersection(description.dataPathFeatures)
        showRegions(dropped: try refreshRegions())
        let used = layout.addresses.deviceArea
        let recovered = goesOn(index, queue) ? regions.region(holding: used)?.usedIndex(at: used) : nil
        return QueueSetup(
            queue: index, layout: layout, features: features,
            state: .split(nextAvail: recovered ?? beginning(of: index, queue)), call: queues[index].call)
    }

    private mutating func start(_ setup: QueueSetup) {
        let index = setup.queue
        logger.info("queue \(index): \(setup.layout.size) descriptors, goes on at \(setup.state.base)")
        dataPath.start([setup])
        dataPath.bindKick(queues[index].kick, queue: index)
        queues[index].isStarted = true
        queues[index].refusal = nil
        // The kick was taken from its eventfd, which the data path waits for from now on.
        queues[index].isKicked = false
        dataPath.kick(index..<index + 1)
    }

    /// Says why a queue cannot start, once.
    private mutating func refuse(_ index: Int, _ reason: String) {
        guard queues[index].refusal != reason else { return }
        queues[index].refusal = reason
        logger.warning("queue \(index) cannot start: \(reason)")
    }

    /// Whether a queue that does not run goes on with the ring that it had, where nothing is in flight.
    private func goesOn(_ index: Int, _ queue: QueueInformation) -> Bool {
        guard let stop = queues[index].stop else { return queues[index].hasRun }
        return stop.kernelIndex == queue.availIndex
    }

    /// Where the ring of a queue that does not run goes on: where it stopped, or where the driver has moved it since then.
    ///
    /// A driver that moves it to where it was before the last start is not told from one that has left it alone.
    func beginning(of index: Int, _ queue: QueueInformation) -> UInt16 {
        guard let stop = queues[index].stop, stop.kernelIndex == queue.availIndex else {
            return queue.availIndex
        }
        return stop.availIndex
    }

    /// Stops a queue with nothing in flight, and tells the driver what is done. `kernelIndex` is what the kernel has as the
    /// beginning of its ring.
    mutating func stop(_ index: Int, kernelIndex: UInt16?) {
        let state = dataPath.stop(index..<index + 1)[0]
        dataPath.bindKick(nil, queue: index)
        noteStopped(index, state, kernelIndex)
    }

    private mutating func noteStopped(_ index: Int, _ state: QueueState, _ kernelIndex: UInt16?) {
        queues[index].isStarted = false
        queues[index].hasRun = true
        queues[index].stop = QueueBinding.Stop(
            availIndex: state.base.availIndex, kernelIndex: kernelIndex)
        passCall(index)
    }

    /// Stops every queue, with nothing in flight, tells the driver what is done, and unmaps its memory.
    mutating func halt() {
        isRunning = false
        let states = letGo(of: regions.removeAll())
        for index in queues.indices {
            if queues[index].isStarted {
                noteStopped(index, states[index], try? calls.queue(index).availIndex)
            }
            passCall(index)
            // The kernel's device runs no more either, or another process takes over and interrupts.
            queues[index].owesInterrupt = false
        }
    }

    // MARK: Interrupts

    /// Has the kernel interrupt the driver, if the data path has asked for it, or the kernel has refused it before.
    mutating func passCall(_ index: Int) {
        if queues[index].call.event.drain() > 0 || queues[index].owesInterrupt { interrupt(index) }
    }

    /// Has the kernel interrupt the driver, now or as soon as it takes that: between the answer to SET_STATUS and the
    /// moment when the kernel notes DRIVER_OK it does not.
    mutating func interrupt(_ index: Int) {
        queues[index].owesInterrupt = !calls.interrupt(queue: index)
    }

    // MARK: Memory

    /// Something is mapped, or a worker may use it.
    var isInUse: Bool { !regions.regions.isEmpty || queues.contains(where: \.isStarted) }

    /// Maps what the driver has mapped. Returns what it has no more, which the data path may still use.
    mutating func refreshRegions() throws(VDUSEError) -> [MappedRegion] {
        let known = regions.unreachable
        let dropped = try regions.refresh(calls)
        for region in regions.unreachable where !known.contains(region) {
            logger.warning("out of the device's reach: \(region.reason)")
        }
        return dropped
    }

    /// Has the data path translate through what is mapped now, and then gives up what was `dropped`.
    func showRegions(dropped: [MappedRegion]) {
        dataPath.setTranslation(regions.entries, queues: queues.indices)
        giveUp(dropped)
    }

    /// Stops every queue and takes its translation away, and then gives `dropped` up. Returns where the queues stand.
    @discardableResult
    func letGo(of dropped: [MappedRegion]) -> [QueueState] {
        var states: [QueueState] = []
        if queues.contains(where: \.isStarted) {
            states = dataPath.stop(queues.indices)
            for index in queues.indices { dataPath.bindKick(nil, queue: index) }
        }
        dataPath.setTranslation([], queues: queues.indices)
        giveUp(dropped)
        return states
    }

    /// Unmaps what no worker uses any more. A worker that has failed may not have heard of it: then nothing is unmapped as
    /// long as this process lives.
    private func giveUp(_ dropped: [MappedRegion]) {
        withExtendedLifetime(dropped) {
            if dataPath.failure != nil { for region in dropped { region.keep() } }
        }
    }
}
