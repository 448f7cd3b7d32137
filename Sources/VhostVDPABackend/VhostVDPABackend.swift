internal import CLinux
internal import Glibc
public import GuestMemory
public import Logging
public import SystemPackage
public import VhostVDPA

/// A guest's vhost-vdpa device, driven as QEMU's backend does: opened, started, stopped and started again.
///
/// The backend does not know whether the device is a real one. It owns the device file from the first call to
/// ``close()``, and is a memory listener of the guest's address space in between. One thread only, the control
/// thread; the guest's driver may go on using its rings meanwhile.
public final class VhostVDPABackend {
    /// What the device said and what was agreed.
    public internal(set) var negotiated: NegotiatedDevice {
        get { agreement }
        set { agreement = newValue }
    }
    /// The eventfd the device signals when its configuration or its status changes; non-blocking. Wait for it
    /// to be readable, then call ``handleConfigurationInterrupt()``. Closed by ``close()``.
    public let configurationInterrupt: FileDescriptor
    /// Keeps the device's maps equal to guest memory, and knows where they stand.
    package let mapper: MemoryMapper
    /// Where the device stands.
    public internal(set) var state: BackendState {
        get { place }
        set { place = newValue }
    }
    /// What the last reset decided about the maps, or `nil` before the first.
    public internal(set) var lastDecision: MapDecision? {
        get { decision }
        set { decision = newValue }
    }

    // Behind accessors: a stored property that another module sees is checked for exclusive access at every use.
    private var agreement: NegotiatedDevice
    private var place = BackendState.opened
    private var decision: MapDecision?

    let device: VhostVDPADevice
    var configuration: BackendConfiguration
    let logger: Logger
    /// Whether what is done as it should be is logged, asked once: asking a logger takes longer than a device call's
    /// own work.
    let isTraced: Bool
    /// The queues that run; nobody else holds them once they are stopped, so that their owner can place them anew.
    var queues: [VringSetup] = []
    /// Whether the device has asked for a reset since its last start.
    var needsReset = false
    private var isRegistered = false
    private let registry: any ListenerRegistry
    private let limits: MapLimits
    /// The process that opened the device.
    private let owner: Int32

    /// How often the device has been called.
    public var counts: DeviceCallCounts { device.counts }

    /// Has `observer` watch the device's calls from now on, to measure them; `nil` for nobody.
    package func watchCalls(with observer: (any DeviceCallObserver)?) { device.watch(with: observer) }

    /// Where the device's maps stand.
    public var mapping: MappingState { mapper.state }

    /// The memory sections the device has, or gets with the next start, in ascending order. Cost: a sort of them.
    public var mappedSections: [MemorySection] { mapper.mappedSections }

    /// The bytes behind ``mappedSections``.
    public var mappedByteCount: ByteCount { mapper.mappedByteCount }

    /// Takes over an open device: negotiates, signs on as a listener of `addressSpace`, and maps the guest's
    /// memory, unless ``BackendConfiguration/mapsWhenOpened`` leaves that to the first start.
    ///
    /// On an error the device is closed and nothing is registered.
    public convenience init(
        device: any CharacterDevice, addressSpace: any ListenerRegistry,
        configuration: BackendConfiguration = BackendConfiguration(), logger: Logger
    ) throws(BackendError) {
        try self.init(
            device: device, addressSpace: addressSpace, configuration: configuration, limits: .current(),
            logger: logger)
    }

    /// As the public one, on a machine that `limits` describes.
    package init(
        device file: any CharacterDevice, addressSpace: any ListenerRegistry,
        configuration: BackendConfiguration, limits: MapLimits, logger: Logger
    ) throws(BackendError) {
        var logger = logger
        if !configuration.logPrefix.isEmpty { logger[metadataKey: "device"] = "\(configuration.logPrefix)" }
        let device = VhostVDPADevice(file, logger: logger)
        do throws(BackendError) {
            agreement = try DeviceNegotiation(configuration: configuration, logger: logger).run(on: device)
        } catch {
            device.close()
            throw error
        }
        let eventfd = clinux_interrupt_eventfd()
        guard eventfd >= 0 else {
            device.close()
            throw BackendError(
                .systemCall, "no eventfd for configuration interrupts: \(Errno(rawValue: -eventfd))",
                errno: Errno(rawValue: -eventfd))
        }
        configurationInterrupt = FileDescriptor(rawValue: eventfd)
        mapper = MemoryMapper(
            device: device,
            iovaRange: agreement.iovaRange,
            usesBatch: agreement.acknowledgedBackendFeatures.contains(.iotlbBatch),
            verification: configuration.mapVerification, limits: limits, logger: logger)
        self.device = device
        self.configuration = configuration
        self.logger = logger
        isTraced = logger.logLevel <= .debug
        self.limits = limits
        owner = limits.currentProcess()
        registry = addressSpace
        try signOn()
    }

    deinit { close() }

    private func signOn() throws(BackendError) {
        do throws(BackendError) {
            do {
                try registry.register(mapper)
                isRegistered = true
            } catch {
                throw registrationError(error)
            }
            if configuration.mapsWhenOpened { try mapper.map() }
        } catch {
            close()
            throw error
        }
    }

    /// The mapper's own error, where it was the one to refuse, whatever the address space wraps it in.
    private func registrationError(_ error: any Error) -> BackendError {
        mapper.lastRefusal
            ?? BackendError(.registrationFailed, "the address space refused the device: \(error)")
    }

    /// Ends everything: the device is reset, its maps are removed, the listener signs off, the file is closed.
    ///
    /// Never fails: what the device refuses on the way is information in the log, and closing the file makes the kernel
    /// do it. A second call does nothing.
    public func close() {
        guard state != .closed else { return }
        if state != .failed {
            do throws(BackendError) {
                let isQuiet = state != .started
                try resetting(.close) { (stop) throws(BackendError) in
                    try stop.reset(isQuiet: isQuiet, closes: true)
                }
            } catch {
                logger.info("closing: \(error)")
            }
        }
        // Closing the file removes whatever could not be removed before; the listener must not touch it again.
        mapper.abandon()
        do {
            if isRegistered { try registry.unregister(mapper) }
        } catch {
            logger.info("closing: \(error)")
        }
        device.close()
        try? configurationInterrupt.close()
        state = .closed
    }

    /// Stops a running device, or a suspended one, and returns where its queues stood, in the order of the start.
    ///
    /// Without a successful SUSPEND no base is given: the queues then start again from empty rings. Maps that are not
    /// kept are removed; those that could not be removed before the reset are removed after it. On an error the state
    /// is ``BackendState/failed``.
    @discardableResult
    public func stop(reason: ResetReason = .stop) throws(BackendError) -> [VringState] {
        try require(state == .started || state == .suspended, "a stop")
        let (queues, isSuspended, isBroken) = (queues, state == .suspended, needsReset)
        let suspends = negotiated.acknowledgedBackendFeatures.contains(.suspend)
        return try resetting(reason) { (stop) throws(BackendError) in
            try stop.run(queues, isSuspended: isSuspended, suspends: suspends, isBroken: isBroken)
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

    /// Decides about the maps and carries `work`, which resets the device, out with it.
    func resetting<Result>(
        _ reason: ResetReason, _ work: (DeviceStop) throws(BackendError) -> Result
    ) throws(BackendError) -> Result {
        let decision = MapDecision.decide(
            MapDecisionInput(
                acknowledged: negotiated.acknowledgedBackendFeatures,
                isOwner: limits.currentProcess() == owner,
                hadMapError: mapper.hadError, reason: reason, policy: configuration.persist))
        log(decision, reason)
        let result: Result
        do throws(BackendError) {
            result = try work(
                DeviceStop(device: device, mapper: mapper, logger: logger, decision: decision))
        } catch {
            state = .failed
            throw error
        }
        lastDecision = decision
        needsReset = false
        queues = []
        state = state == .opened ? .opened : .stopped
        return result
    }

    private func log(_ decision: MapDecision, _ reason: ResetReason) {
        guard mapping.reachesDevice else { return }
        switch decision {
        case .keep: logger.debug("reset (\(reason)): maps kept")
        case .keepWithoutPromise:
            logger.warning(
                """
                reset (\(reason)): maps kept although IOTLB_PERSIST is not acknowledged (forced): the device may \
                have lost them
                """)
        case .flush(let cause): logger.debug("reset (\(reason)): maps removed: \(cause)")
        }
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
        guard takeInterrupt() else { return .none }
        let status = try BackendError.calling("a configuration interrupt") { () throws(VhostVDPAError) in
            try device.status()
        }
        guard status.contains(.needsReset) else { return .changed }
        logger.warning("the device needs a reset (status \(status))")
        needsReset = true
        return .needsReset
    }

    /// Empties the interrupt's counter; whether there was anything in it.
    private func takeInterrupt() -> Bool {
        var counter: UInt64 = 0
        let count = unsafe withUnsafeMutableBytes(of: &counter) { buffer in
            (try? unsafe configurationInterrupt.read(into: buffer, retryOnInterrupt: false)) ?? 0
        }
        return count == MemoryLayout<UInt64>.size
    }

    /// Throws unless the state is one in which `operation` is possible.
    @inline(__always)
    func require(_ isPossible: Bool, _ operation: StaticString) throws(BackendError) {
        if !isPossible { throw refusal(of: operation) }
    }

    @inline(never)
    private func refusal(of operation: StaticString) -> BackendError {
        BackendError(.invalidState, "\(operation) is not possible: the device is \(state)")
    }
}
