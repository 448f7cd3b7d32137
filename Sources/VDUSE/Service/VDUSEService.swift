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
/// | a kick of a queue that does not run | what the driver has mapped is mapped here, and the queue starts; the kick waits where it cannot |
/// | UPDATE_IOTLB | what was mapped is given up and mapped anew, with nothing in flight |
/// | GET_VQ_STATE | a disabled queue stops; where the queue stands or has stopped, or what the driver has set |
/// | the kernel refuses an interrupt | it is made again until the kernel takes it |
/// | SET_STATUS 0 | the queues stop, with nothing in flight, and everything is unmapped |
/// | this process begins with a device that runs | the queues that are enabled go on at their used index |
/// | this process ends | the queues stop, and the kernel remembers the kicks that come meanwhile |
///
/// **Why a queue starts with its first kick.** The kernel says neither when a queue is enabled (API version 0) nor what
/// Linux's own driver maps, and it maps before it kicks. A driver that has nothing to tell has no work for the device.
///
/// **Thread.** The control thread alone; what the data path's workers touch is the driver's memory.
package struct VDUSEService<Calls: VDUSECalls & ~Copyable>: ~Copyable {
    let calls: Calls
    let description: VDUSEDescription
    let dataPath: any DataPath
    private let events: ServiceEvents
    let logger: Logger
    var queues: [QueueBinding]
    var regions = RegionTable()
    /// The status that the driver has set, as far as this process has heard.
    package internal(set) var status = DeviceStatus.reset
    /// DRIVER_OK is set.
    package internal(set) var isRunning = false
    /// How often a driver has started the device, a take-over included.
    package internal(set) var startCount = 0

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
        for _ in 0..<description.queueCount { queues.append(QueueBinding(call: try SharedEventFD())) }
    }

    /// Whoever gives the service up without ``end()`` has the workers let go of the driver's memory all the same.
    deinit { if isInUse { letGo(of: regions.regions) } }

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
        for index in queues.indices { queues[index].hasRun = true }
        for index in queues.indices where try calls.queue(index).isReady {
            // What the other process had been kicked for and has not done is done now, or as soon as the queue can start.
            queues[index].isKicked = true
            start(index)
            interrupt(index)
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
    ///
    /// A worker's end comes before everything else, also where nobody could signal it.
    package mutating func step(
        until interrupt: FileDescriptor, milliseconds: Int32
    ) throws(VDUSEError) -> ServiceEnding? {
        var set = PollSet([calls.descriptor, events.descriptor, interrupt] + queues.map { awaited($0) })
        set.wait(milliseconds: min(milliseconds, patience))
        let reported = set.isReadable(1) ? takeEvents() : nil
        if let failure = reported ?? dataPath.failure { return .failed(failure) }
        if set.isReadable(2) { return .interrupted }
        if set.hasFailed(0) { try requireWhole() }
        if set.isReadable(0) { try serveMessages() }
        for index in queues.indices { serve(queue: index, isSignalled: set.isReadable(3 + index)) }
        return nil
    }

    /// The longest wait, in milliseconds: the kernel does not say when it takes what it has refused.
    private var patience: Int32 {
        if queues.contains(where: \.owesInterrupt) { return 1 }
        return isRunning && queues.contains { $0.isKicked && !$0.isStarted } ? 100 : .max
    }

    /// What a queue has to say next: that the driver has kicked it, while it waits for that, or that the driver is to be
    /// interrupted.
    private func awaited(_ queue: QueueBinding) -> FileDescriptor {
        if queue.isStarted { return queue.call.descriptor }
        return isRunning ? queue.kick?.descriptor ?? queue.call.descriptor : queue.call.descriptor
    }

    /// Does what there is to do for a queue. Where `isSignalled`, what was waited for has come; messages since then may have
    /// changed what that is.
    private mutating func serve(queue index: Int, isSignalled: Bool) {
        if isSignalled || queues[index].owesInterrupt { passCall(index) }
        guard isRunning, !queues[index].isStarted else { return }
        if isSignalled, let kick = queues[index].kick, kick.event.drain() > 0 {
            queues[index].isKicked = true
        }
        if queues[index].isKicked { start(index) }
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

    // MARK: The end

    /// Ends the service: the queues stop, the kernel keeps the kicks that come from now on, and the device's file is
    /// closed. The data path is the caller's to shut down.
    package consuming func end() {
        for index in queues.indices where queues[index].kick != nil { try? calls.bindKick(nil, queue: index) }
        halt()
    }
}
