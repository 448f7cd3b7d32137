public import GuestMemory
internal import LinuxHost
public import Logging
public import SystemPackage
public import VhostVDPA
public import Virtio

/// A guest's vhost-vdpa device, driven as QEMU's backend does: opened, started, stopped and started again.
///
/// The backend does not know whether the device is a real one. It owns the device file from the first call to
/// ``close()``, and is a memory listener of the guest's address space in between. One thread only, the control
/// thread; the guest's driver may go on using its rings meanwhile.
public final class VhostVDPABackend {
    /// What belongs to a device that has been started.
    private struct Running {
        let features: VirtioFeatures
        /// In the order of the start.
        let queues: [VringSetup]
        /// Whether the device has asked for a reset.
        var needsReset = false
    }

    /// Where the device stands, with what is known of it only there; see ``BackendState``.
    private enum Phase {
        case opened, failed, closed
        /// With what the rings of the start before can be recovered from.
        case stopped(RingHistory)
        case started(Running)
        case suspended(Running)
    }

    private var phase = Phase.opened
    private var configuration: BackendConfiguration
    private var acknowledged: BackendFeatures
    private let device: VhostVDPADevice
    /// Keeps the device's maps equal to guest memory, and knows where they stand.
    package let mapper: MemoryMapper
    private let registry: any MemoryListenerRegistry
    private let limits: MapLimits
    /// The process that opened the device.
    private let owner: Int32
    private let logger: Logger

    /// What the device said when it was opened.
    public let negotiated: NegotiatedDevice
    /// The eventfd the device signals when its configuration or its status changes; non-blocking. Wait for it
    /// to be readable, then call ``handleConfigurationInterrupt()``. Closed by ``close()``.
    public let configurationInterrupt: FileDescriptor
    /// Its owner, until ``close()``.
    private var interrupt: EventFD?
    /// What the last reset decided about the maps, or `nil` before the first.
    public var lastDecision: MapDecision? { decision }
    private var decision: MapDecision?

    // MARK: Opening

    /// Takes over an open device: negotiates, registers as a listener of `addressSpace`, and maps the guest's
    /// memory, unless ``BackendConfiguration/mapsWhenOpened`` leaves that to the first start.
    ///
    /// On an error the device is closed and nothing is registered.
    public convenience init(
        device: any CharacterDevice, addressSpace: any MemoryListenerRegistry,
        configuration: BackendConfiguration = BackendConfiguration(), logger: Logger
    ) throws(BackendError) {
        try self.init(
            device: device, addressSpace: addressSpace, configuration: configuration, limits: .current(),
            logger: logger)
    }

    /// As the public one, on a machine that `limits` describes.
    package init(
        device file: any CharacterDevice, addressSpace: any MemoryListenerRegistry,
        configuration: BackendConfiguration, limits: MapLimits, logger: Logger
    ) throws(BackendError) {
        var logger = logger
        if !configuration.logPrefix.isEmpty { logger[metadataKey: "device"] = "\(configuration.logPrefix)" }
        let device = VhostVDPADevice(file, logger: logger)
        do throws(BackendError) {
            (negotiated, acknowledged) = try DeviceOpening(configuration: configuration, logger: logger)
                .run(on: device)
            let event = try Self.makeConfigurationInterrupt()
            configurationInterrupt = event.descriptor
            interrupt = consume event
        } catch {
            device.close()
            throw error
        }
        mapper = MemoryMapper(
            device: device, iovaRange: negotiated.iovaRange, usesBatch: acknowledged.contains(.iotlbBatch),
            verification: configuration.mapVerification, limits: limits, logger: logger)
        self.device = device
        self.configuration = configuration
        self.limits = limits
        owner = limits.currentProcess()
        self.logger = logger
        registry = addressSpace
        do throws(BackendError) {
            try register()
            if configuration.mapsWhenOpened { try mapper.map() }
        } catch {
            close()
            throw error
        }
    }

    deinit { close() }

    private static func makeConfigurationInterrupt() throws(BackendError) -> EventFD {
        do throws(Errno) {
            return try EventFD()
        } catch {
            throw BackendError(
                .systemCall, "no eventfd for configuration interrupts: \(error)", errno: error)
        }
    }

    /// Throws the mapper's own error, where it was the one to refuse, whatever the address space wraps it in.
    private func register() throws(BackendError) {
        do throws(GuestMemoryError) {
            try registry.register(mapper)
        } catch {
            throw error.underlying as? BackendError
                ?? BackendError(.registrationFailed, "the address space refused the device: \(error)")
        }
    }

    /// Ends everything: the device is reset, its maps are removed, the listener is unregistered, the file is closed.
    ///
    /// Never fails: what the device refuses on the way is information in the log, and closing the file makes the kernel
    /// do it. A second call does nothing.
    public func close() {
        guard state != .closed else { return }
        do throws(BackendError) {
            if state != .failed {
                let isQuiet = state != .started
                try resetting(.close) { (stop) throws(BackendError) in try stop.reset(isQuiet: isQuiet) }
            }
        } catch {
            logger.info("closing: \(error)")
        }
        // Closing the file removes whatever could not be removed before; the listener must not touch it again.
        mapper.abandon()
        do throws(GuestMemoryError) {
            try registry.unregister(mapper)
        } catch {
            logger.info("closing: \(error)")
        }
        device.close()
        interrupt = nil
        phase = .closed
    }

    // MARK: Starting and stopping

    /// Starts the device with `features` and `queues`, whatever it ran with before.
    ///
    /// Features are negotiated, memory is mapped if no maps are kept, each queue is set up and enabled, the device is
    /// set running and every queue is kicked. The eventfds are told in every start.
    ///
    /// On an error the device is reset, its maps are removed, and the state is ``BackendState/stopped`` and
    /// ``MappingState/unmapped``: it can be started again. Where even that fails the state is
    /// ``BackendState/failed``. A start that is refused for the state, for features that are not offered or for a queue
    /// that the device cannot have reaches nothing and changes nothing.
    public func start(features: VirtioFeatures, queues: [VringSetup]) throws(BackendError) {
        try require(state == .opened || state == .stopped, "a start")
        try negotiated.check(features, queues)
        do throws(BackendError) {
            try DeviceStart(
                device: device, mapper: mapper,
                enablesAfterDriverOK: acknowledged.contains(.enableAfterDriverOK),
                configurationInterrupt: configurationInterrupt
            ).run(features, queues)
        } catch {
            logger.debug("start failed: \(error)")
            throw takenBack(error, of: features)
        }
        phase = .started(Running(features: features, queues: queues))
    }

    /// Stops a running device, or a suspended one, and returns where its queues stood, in the order of the start.
    ///
    /// Without a successful SUSPEND no base is given: the queues then start again from empty rings, or where
    /// ``recoveredBase(of:)`` says. Maps that are not kept are removed; those that could not be removed before the reset
    /// are removed after it. On an error the state is ``BackendState/failed``.
    @discardableResult
    public func stop(reason: ResetReason = .stop) throws(BackendError) -> [VringState] {
        let (running, isSuspended) =
            switch phase {
            case .started(let running): (running, false)
            case .suspended(let running): (running, true)
            case .opened, .stopped, .failed, .closed: throw impossible("a stop")
            }
        let suspends = acknowledged.contains(.suspend)
        return try resetting(reason) { (stop) throws(BackendError) in
            try stop.run(
                running.queues, isSuspended: isSuspended, suspends: suspends, isBroken: running.needsReset)
        }
    }

    /// Resets the device, running or not, without asking it where its queues stand: its guest's driver starts over.
    ///
    /// On an error the state is ``BackendState/failed``.
    public func reset(reason: ResetReason = .guestReset) throws(BackendError) {
        try require(state.isUsable, "a reset")
        let isQuiet = state != .started
        try resetting(reason) { (stop) throws(BackendError) in try stop.reset(isQuiet: isQuiet) }
    }

    /// Where the ring of `queue` goes on by its used index in guest memory: for a stop that gave no base, or a start
    /// that failed once ``BackendError/ringsMayHaveMoved``. QEMU goes on the same way (`vhost_virtqueue_stop`).
    ///
    /// The index says how many chains the device has returned, and of those that it had taken besides nothing. What
    /// comes of it:
    /// - A device that returns chains in the order it takes them takes those again that were in flight: frames are sent
    ///   a second time, at most as many as were in flight, and receive buffers are offered again.
    /// - A device that returns them in another order may never return one, and returns another a second time, which a
    ///   driver that checks takes for a broken ring.
    /// - Frames inside the device are lost, as with any reset.
    /// - vp_vdpa takes no base but 0 (EOPNOTSUPP): a start with what is recovered here is refused.
    ///
    /// - Throws: ``BackendError/Code/invalidState`` unless the device is ``BackendState/stopped``;
    ///   ``BackendError/Code/ringNotRecoverable`` after ``VringState/Loss/deviceBroken``, when the driver has to start
    ///   over (virtio 1.2, section 2.1.2) and nothing that the device wrote counts; of a packed ring, of which nothing
    ///   in memory says where its device stands; and where the used ring is in no memory that the device can write.
    public func recoveredBase(of queue: VringSetup) throws(BackendError) -> VringBase {
        guard case .stopped(let history) = phase else { throw impossible("recovering a ring position") }
        return try RingRecovery(mapper: mapper, history: history).base(of: queue)
    }

    /// Takes a start with `features` that failed with `failure` back. Returns that, with what became of the device.
    private func takenBack(_ failure: BackendError, of features: VirtioFeatures) -> BackendError {
        do throws(BackendError) {
            try resetting(.failedStart) { (stop) throws(BackendError) in try stop.reset(isQuiet: false) }
            phase = .stopped(RingHistory(features: features, needsReset: false))
            return failure
        } catch {
            return failure.adding("the device could not be reset after it: \(error)")
        }
    }

    /// Decides about the maps, carries out `work`, which resets the device, and notes what became of it.
    private func resetting<Result>(
        _ reason: ResetReason, _ work: (DeviceStop) throws(BackendError) -> Result
    ) throws(BackendError) -> Result {
        let decision = MapDecision.decide(
            MapDecisionInput(
                acknowledged: acknowledged, isOwner: limits.currentProcess() == owner,
                hadMapError: mapper.hadError, reason: reason, policy: configuration.persist))
        if mapper.state.reachesDevice && decision != self.decision { decision.log(reason, logger) }
        do throws(BackendError) {
            let result = try work(
                DeviceStop(device: device, mapper: mapper, logger: logger, reason: reason, decision: decision)
            )
            self.decision = decision
            switch phase {
            case .started(let running), .suspended(let running):
                phase = .stopped(RingHistory(features: running.features, needsReset: running.needsReset))
            case .opened, .stopped, .failed, .closed: break
            }
            return result
        } catch {
            phase = .failed
            throw error
        }
    }

    // MARK: A pause without a reset

    /// Whether ``suspendInPlace()`` and ``resumeInPlace()`` can be used: both features are acknowledged.
    public var canResume: Bool { acknowledged.isSuperset(of: [.suspend, .resume]) }

    /// Suspends a running device and leaves everything else as it is: status, rings, interrupts, maps.
    ///
    /// The device touches no guest memory from here on, and a kick that comes now is lost
    /// (drivers/vhost/vdpa.c): ``resumeInPlace()`` kicks again. For a pause in which the guest's rings and its
    /// memory map stay what they are. Anything that must change while the device is down (features, ring sizes,
    /// another set of queues, another process) needs a ``stop(reason:)``, which is possible from here as well. On an
    /// error the device runs on.
    public func suspendInPlace() throws(BackendError) {
        guard case .started(let running) = phase else { throw impossible("a suspend") }
        guard canResume, !running.needsReset else {
            throw BackendError(
                .unsupportedDevice,
                "the device cannot be suspended to go on later: \(running.needsReset ? "it needs a reset" : "SUSPEND and RESUME are not both acknowledged"); stop and start it instead"
            )
        }
        try BackendError.calling("suspending the device") { () throws(VhostVDPAError) in
            try device.suspend()
        }
        phase = .suspended(running)
    }

    /// Lets a suspended device go on where it stood, and kicks every queue.
    ///
    /// Where RESUME fails the device stays suspended; where a kick fails it runs. It can be stopped either way.
    public func resumeInPlace() throws(BackendError) {
        guard case .suspended(let running) = phase else { throw impossible("a resume") }
        try BackendError.calling("resuming the device") { () throws(VhostVDPAError) in
            try device.resume()
        }
        phase = .started(running)
        for queue in running.queues { try queue.kickDevice() }
    }

    // MARK: Other business with an open device

    /// Acknowledges what `configuration` wants from now on, in place of what was acknowledged before, and treats
    /// maps and batches accordingly.
    ///
    /// SET_BACKEND_FEATURES replaces the earlier value at any time, also while the device runs
    /// (drivers/vhost/vdpa.c); what it says about IOTLB_PERSIST counts at the next reset. Nothing else is sent.
    /// `mapsWhenOpened` and `logPrefix` are without effect. On an error the earlier configuration stays.
    public func reconfigure(_ configuration: BackendConfiguration) throws(BackendError) {
        try require(state.isUsable, "a reconfiguration")
        let wanted = configuration.acknowledgement(of: negotiated.offeredBackendFeatures)
        try BackendError.calling("acknowledging backend features") { () throws(VhostVDPAError) in
            try device.setBackendFeatures(wanted)
        }
        acknowledged = wanted
        self.configuration = configuration
        mapper.configure(
            usesBatch: wanted.contains(.iotlbBatch), verification: configuration.mapVerification)
        logger.debug("backend features acknowledged: \(wanted)")
    }

    /// Reads `count` bytes of the device's configuration space from `offset`.
    public func readConfiguration(offset: UInt32, count: UInt32) throws(BackendError) -> [UInt8] {
        try require(state.isUsable, "reading the configuration")
        return try BackendError.calling("reading the configuration") { () throws(VhostVDPAError) in
            try device.configuration(offset: offset, count: count)
        }
    }

    /// Looks at why the device signalled ``configurationInterrupt``, and takes the signal.
    public func handleConfigurationInterrupt() throws(BackendError) -> ConfigurationEvent {
        try require(state.isUsable, "a configuration interrupt")
        guard EventFD.drain(configurationInterrupt) > 0 else { return .none }
        let status = try BackendError.calling("a configuration interrupt") { () throws(VhostVDPAError) in
            try device.status()
        }
        guard status.contains(.needsReset) else { return .changed }
        logger.warning("the device needs a reset (status \(status))")
        switch phase {
        case .started(var running):
            running.needsReset = true
            phase = .started(running)
        case .suspended(var running):
            running.needsReset = true
            phase = .suspended(running)
        // Nothing runs that a stop would have to distrust.
        case .opened, .stopped, .failed, .closed: break
        }
        return .needsReset
    }

    // MARK: What there is to see

    /// Where the device stands.
    public var state: BackendState {
        switch phase {
        case .opened: .opened
        case .started: .started
        case .suspended: .suspended
        case .stopped: .stopped
        case .failed: .failed
        case .closed: .closed
        }
    }

    /// The backend features in force.
    public var acknowledgedBackendFeatures: BackendFeatures { acknowledged }

    /// Where the device's maps stand.
    public var mapping: MappingState { mapper.state }

    /// The memory sections the device has, or gets with the next start, in ascending order. Cost: a sort of them.
    public var mappedSections: [MemorySection] { mapper.mappedSections }

    /// The bytes behind ``mappedSections``.
    public var mappedByteCount: ByteCount { mapper.mappedByteCount }

    /// How often the device has been called.
    public var counts: DeviceCallCounts { device.counts }

    /// Has `observer` watch the device's calls from now on, to measure them; `nil` for nobody.
    package func watchCalls(with observer: (any DeviceCallObserver)?) { device.watch(with: observer) }

    /// Throws unless `operation` is possible in the state.
    private func require(_ isPossible: Bool, _ operation: StaticString) throws(BackendError) {
        guard isPossible else { throw impossible(operation) }
    }

    private func impossible(_ operation: StaticString) -> BackendError {
        BackendError(.invalidState, "\(operation) is not possible: the device is \(state)")
    }
}
