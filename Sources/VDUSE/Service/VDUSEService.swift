internal import GuestMemory
internal import LinuxHost
package import Logging
package import SystemPackage
internal import VirtQueue
package import Virtio
package import VirtioDevice
package import WorkerRuntime

/// Why a device is served no more.
package enum ServiceEnding: Equatable, Sendable {
    /// Somebody has asked for it.
    case interrupted
    /// A worker moves no more frames.
    case failed(WorkerFailure)
}

/// A VDUSE device as this process serves it: what the kernel asks is answered, and the driver's rings are given to a data
/// path and taken from it.
///
/// The whole life of a device:
///
/// | what happens | what is done |
/// |---|---|
/// | SET_STATUS with any bit | the queues' kicks are bound: from a reset on the kernel has none |
/// | SET_STATUS with FEATURES_OK | refused where the driver's features are not this device's |
/// | SET_STATUS with DRIVER_OK | the device runs; each queue starts with its first kick |
/// | a kick of a queue that does not run | what the driver has mapped is mapped here, and the queue starts |
/// | UPDATE_IOTLB | what was mapped is given up and mapped anew, with nothing in flight |
/// | GET_VQ_STATE | where the data path stands, or what the driver has set |
/// | SET_STATUS 0 | the queues stop, with nothing in flight, and everything is unmapped |
/// | this process begins with a device that runs | the queues that are enabled go on at their used index |
/// | this process ends | the queues stop, and the kernel remembers the kicks that come meanwhile |
///
/// **Why a queue starts with its first kick.** The kernel says neither when a queue is enabled (API version 0) nor what
/// Linux's own driver maps, and it maps before it kicks. A driver that has nothing to tell has no work for the device.
///
/// **Thread.** The control thread alone; what the data path's workers touch is the driver's memory.
package struct VDUSEService<Calls: VDUSECalls & ~Copyable>: ~Copyable {
    private struct Queue {
        /// What the kernel signals for the driver's kicks; `nil` after a reset.
        var kick: SharedEventFD?
        /// What the data path signals to have the driver interrupted.
        let call: SharedEventFD
        var isStarted = false
    }

    private let calls: Calls
    private let description: VDUSEDescription
    private let dataPath: any DataPath
    private let events: ServiceEvents
    private let logger: Logger
    private var queues: [Queue]
    private var regions = RegionTable()
    /// The status that the driver has set, as far as this process has heard.
    package private(set) var status = DeviceStatus.reset
    /// DRIVER_OK is set.
    package private(set) var isRunning = false
    /// How often a driver has started the device, a take-over included.
    package private(set) var startCount = 0

    /// Serves the device behind `calls` with `dataPath`, whose workers report to `events` and whose queues are stopped.
    ///
    /// - Throws: What eventfd(2) does.
    package init(
        _ calls: consuming Calls, _ description: VDUSEDescription, dataPath: any DataPath,
        events: ServiceEvents,
        logger: Logger
    ) throws(Errno) {
        self.calls = calls
        self.description = description
        self.dataPath = dataPath
        self.events = events
        self.logger = logger
        queues = []
        for _ in 0..<description.queueCount { queues.append(Queue(call: try SharedEventFD())) }
    }

    /// Goes on with a device that another process has served: with its driver, if it has one that runs.
    ///
    /// What the other process had taken and not returned is taken again. Its last interrupts may never have come, so each
    /// driver gets one, as after any start that nobody has seen.
    ///
    /// - Throws: ``VDUSEError/Code/otherDevice`` where the driver was offered features that this device does not have.
    package mutating func takeOver() throws(VDUSEError) {
        let features = try calls.driverFeatures()
        guard features.isSubset(of: description.features) else {
            throw VDUSEError(
                .otherDevice, call: "VDUSE_DEV_GET_FEATURES", errno: nil,
                context:
                    "its driver uses \(features.subtracting(description.features)), which this device has not: another"
                    + " program has made it; take another --name")
        }
        try bindKicks()
        guard calls.interruptConfiguration() else { return }
        status = [.acknowledge, .driver, .featuresOK, .driverOK]
        run()
        for index in queues.indices where try calls.queue(index).isReady {
            start(index, isRecovery: true)
            dataPath.kick(index..<index + 1)
            calls.interrupt(queue: index)
        }
    }

    // MARK: Waiting

    /// Serves the device until `interrupt` is readable or a worker moves no more frames. Once a second `look` is called.
    package mutating func serve(
        until interrupt: FileDescriptor, look: () -> Void
    ) throws(VDUSEError) -> ServiceEnding {
        let clock = ContinuousClock()
        var nextLook = clock.now.advanced(by: .seconds(1))
        while true {
            if let ending = try step(until: interrupt, milliseconds: 1000) { return ending }
            guard clock.now >= nextLook else { continue }
            look()
            nextLook = clock.now.advanced(by: .seconds(1))
        }
    }

    /// Waits for something to do, at most so long, and does it. `nil` where there will be more.
    package mutating func step(
        until interrupt: FileDescriptor, milliseconds: Int32
    ) throws(VDUSEError) -> ServiceEnding? {
        var set = PollSet([calls.descriptor, events.descriptor, interrupt] + queues.map { awaited($0) })
        set.wait(milliseconds: milliseconds)
        if set.isReadable(2) { return .interrupted }
        if set.hasFailed(0) { try requireWhole() }
        if set.isReadable(0) { try serveMessages() }
        if set.isReadable(1), let failure = takeEvents() { return .failed(failure) }
        for index in queues.indices where set.isReadable(3 + index) { serve(queue: index) }
        return nil
    }

    /// What a queue has to say next: that the driver has kicked it, while it waits for that, or that the driver is to be
    /// interrupted.
    private func awaited(_ queue: Queue) -> FileDescriptor {
        if queue.isStarted { return queue.call.descriptor }
        return isRunning ? queue.kick?.descriptor ?? queue.call.descriptor : queue.call.descriptor
    }

    private mutating func serve(queue index: Int) {
        if queues[index].isStarted || !isRunning { return passCall(index) }
        kicked(index)
    }

    /// Throws where the kernel has given the device up, which makes its file readable for good.
    private func requireWhole() throws(VDUSEError) { _ = try calls.driverFeatures() }

    private func takeEvents() -> WorkerFailure? {
        var failure: WorkerFailure?
        for event in events.take() {
            switch event {
            case .fault(let fault, let queue):
                logger.warning(
                    "queue \(queue): the driver has not mapped \(fault.address), which its ring names")
            case .queueBroken(let error, let queue):
                logger.warning("queue \(queue): \(error): it stands still until the driver resets the device")
            case .failed(let reason): failure = reason
            }
        }
        return failure
    }

    // MARK: Messages

    /// Answers every message that waits.
    package mutating func serveMessages() throws(VDUSEError) {
        while let message = try calls.nextMessage() {
            let outcome = respond(to: message.request)
            logger.debug("\(message.request): \(outcome)")
            try calls.answer(KernelAnswer(id: message.id, outcome: outcome))
        }
    }

    private mutating func respond(to request: KernelMessage.Request) -> KernelAnswer.Outcome {
        do throws(VDUSEError) {
            switch request {
            case .queueState(let queue): return try state(of: queue)
            case .setStatus(let status): return try setStatus(status)
            case .updateIOTLB(let range): return try update(range)
            case .unknown: return .failed
            }
        } catch {
            logger.warning("\(error)")
            return .failed
        }
    }

    private func state(of index: Int) throws(VDUSEError) -> KernelAnswer.Outcome {
        guard queues.indices.contains(index) else { return .failed }
        guard queues[index].isStarted else {
            return .queueState(queue: index, availIndex: try calls.queue(index).availIndex)
        }
        return .queueState(
            queue: index, availIndex: dataPath.states(of: index..<index + 1)[0].base.availIndex)
    }

    private mutating func setStatus(_ new: DeviceStatus) throws(VDUSEError) -> KernelAnswer.Outcome {
        logger.info("the driver sets the status \(new)")
        guard new != .reset else {
            halt()
            status = .reset
            // The kernel forgets them with the reset that follows the answer (`vduse_dev_reset`).
            for index in queues.indices { queues[index].kick = nil }
            return .done
        }
        if new.contains(.featuresOK), !status.contains(.featuresOK) {
            let features = try calls.driverFeatures()
            guard features.isSubset(of: description.features) else {
                logger.warning(
                    "the driver wants \(features.subtracting(description.features)), which was not offered")
                return .failed
            }
        }
        try bindKicks()
        if new.contains(.driverOK), !isRunning { run() } else if !new.contains(.driverOK) { halt() }
        status = new
        return .done
    }

    /// Gives up what was mapped in `range`, and maps what is there now where queues run.
    private mutating func update(_ range: AddressRange<IOVirtualAddress>) throws(VDUSEError)
        -> KernelAnswer.Outcome
    {
        let dropped = regions.remove(touching: range)
        // Whatever becomes of the new maps: nothing in flight uses the old ones once the data path has the table.
        defer {
            withExtendedLifetime(dropped) { dataPath.setTranslation(regions.entries, queues: queues.indices) }
        }
        if queues.contains(where: \.isStarted) { _ = try regions.refresh(calls) }
        return .done
    }

    // MARK: Queues

    private mutating func run() {
        isRunning = true
        startCount += 1
    }

    /// Binds the kicks of queues that have none.
    private mutating func bindKicks() throws(VDUSEError) {
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

    /// A queue that does not run was kicked: it starts, if the driver has enabled it. The kick stays for the data path.
    private mutating func kicked(_ index: Int) {
        if start(index, isRecovery: false) { return }
        queues[index].kick?.event.drain()
    }

    /// Starts a queue at the ring that the kernel knows. Says why it cannot where that is wrong.
    @discardableResult
    private mutating func start(_ index: Int, isRecovery: Bool) -> Bool {
        do throws(VDUSEError) {
            let queue = try calls.queue(index)
            guard queue.isReady else { return false }
            let features = try calls.driverFeatures().intersection(description.dataPathFeatures)
            let dropped = try regions.refresh(calls)
            withExtendedLifetime(dropped) { dataPath.setTranslation(regions.entries, queues: queues.indices) }
            guard let layout = queue.layout, layout.size.nonzeroBitCount == 1 else {
                logger.warning("queue \(index): no ring has \(queue.size) descriptors")
                return false
            }
            let used = layout.addresses.deviceArea
            let recovered = isRecovery ? regions.region(holding: used)?.usedIndex(at: used) : nil
            let state = QueueState.split(nextAvail: recovered ?? queue.availIndex)
            logger.info("queue \(index): \(layout.size) descriptors, goes on at \(state.base)")
            dataPath.start([
                QueueSetup(
                    queue: index, layout: layout, features: features, state: state, call: queues[index].call)
            ])
            dataPath.bindKick(queues[index].kick, queue: index)
            queues[index].isStarted = true
            return true
        } catch {
            logger.warning("queue \(index) cannot start: \(error)")
            return false
        }
    }

    /// Has the kernel interrupt the driver, if the data path has asked for it.
    private func passCall(_ index: Int) {
        if queues[index].call.event.drain() > 0 { calls.interrupt(queue: index) }
    }

    /// Stops every queue, with nothing in flight, tells the driver what is done, and unmaps its memory.
    private mutating func halt() {
        isRunning = false
        let dropped = regions.removeAll()
        withExtendedLifetime(dropped) {
            if queues.contains(where: \.isStarted) {
                _ = dataPath.stop(queues.indices)
                for index in queues.indices { dataPath.bindKick(nil, queue: index) }
            }
            dataPath.setTranslation([], queues: queues.indices)
        }
        for index in queues.indices {
            queues[index].isStarted = false
            passCall(index)
        }
    }

    /// Ends the service: the queues stop, the kernel keeps the kicks that come from now on, and the device's file is
    /// closed. The data path is the caller's to shut down.
    package consuming func end() {
        for index in queues.indices where queues[index].kick != nil { try? calls.bindKick(nil, queue: index) }
        halt()
    }
}
