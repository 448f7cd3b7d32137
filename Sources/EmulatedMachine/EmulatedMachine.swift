package import GuestMemory
internal import LinuxHost
package import Logging
internal import SystemPackage
package import VhostVDPA
package import VhostVDPABackend
internal import VirtQueue
package import Virtio
internal import VirtioDevice
package import VirtioNet
internal import WorkerRuntime

/// A virtual machine without a virtual machine: guest RAM, a guest's network driver that runs on it, and a vDPA
/// device that a vhost-vdpa backend drives.
///
/// Every method is called on one thread, the control thread. The guest's driver and a simulated device's worker
/// run on threads of their own; they meet in guest RAM and in eventfds.
package final class EmulatedMachine {
    package let configuration: MachineConfiguration
    package let memory: PCMemoryLayout
    package let driver: NetworkDriver
    package let backend: VhostVDPABackend
    /// The device from inside, where it is a simulated one.
    package let simulation: SimulatedDevice?
    /// Asks a real device's parent what it has counted.
    let statistics: VendorStatisticsReader?
    private let kernelFile: KernelFile?
    private let hook: DeviceHook

    /// What the driver and the device agreed on for the next start.
    package private(set) var driverConfiguration: DriverConfiguration
    private(set) var bases: [VringBase]
    /// What became of the rings over the last stop and the start after it.
    private(set) var rings = RingOutcome.kept
    /// Whether the device takes a ring position that is not 0, as far as is known: vp_vdpa does not.
    private var takesRingPositions = true
    /// The plugged block that the driver has buffers in; see ``plug(_:)``.
    var bufferBlock: RAMBlock?
    let logger: Logger

    /// May put a character device of its own before one that was just opened.
    package typealias DeviceHook = (any CharacterDevice) -> any CharacterDevice
    /// Puts none.
    package static func unhooked(_ file: any CharacterDevice) -> any CharacterDevice { file }

    /// Assembles the machine: RAM, device, driver, backend. The device is open and mapped, and stopped.
    ///
    /// `hook` may put a character device of its own before the opened one, to watch its calls or to fail
    /// them. Where `interrupt` is raised while memory is filled, the filling ends with
    /// ``GuestMemoryError/Code/cancelled``.
    package init(
        _ configuration: MachineConfiguration, logger: Logger, interrupt: RunInterrupt? = nil,
        hook: @escaping DeviceHook = unhooked
    ) throws(MachineError) {
        self.hook = hook
        self.configuration = configuration
        self.logger = logger
        memory = try MachineMemory(configuration, logger: logger, interrupt: interrupt).make()
        let opened = try OpenedDevice(configuration, logger: logger)
        simulation = opened.simulation
        statistics = opened.vdpaName.map { VendorStatisticsReader(device: $0) }
        kernelFile = opened.kernelFile
        do throws(MachineError) {
            backend = try Self.makeBackend(hook(opened.file), memory, configuration, logger)
        } catch {
            throw Self.cause(opened.simulation?.network.failure, error)
        }
        let guest = MachineDriver(configuration, backend.negotiated, logger: logger)
        driverConfiguration = try guest.agree(expectsReturn: opened.returnsFrames)
        bases = Array(repeating: .zero, count: configuration.queues.count)
        driver = try guest.make(driverConfiguration, in: memory, wireMTU: simulation?.network.wireMTU)
    }

    deinit { close() }

    /// Ends everything in order: device, driver, worker. Returns when their files and ports are closed, for whoever opens
    /// them next. A second call does nothing.
    package func close() {
        backend.close()
        driver.shutdown()
        simulation?.shutdown()
        statistics?.finish()
    }

    /// Whether a real device was removed (`vdpa dev del`) under the machine, which nobody is told: whoever removes it
    /// waits until the machine is closed. `false` for a simulated device, and where sysfs does not say.
    ///
    /// One or two system calls; a device that is gone stays gone.
    package var deviceIsGone: Bool { kernelFile?.isGone ?? false }

    /// Whether the device of a machine that is closed can be opened again.
    package var canReopen: Bool {
        if case .descriptor = configuration.device { false } else { true }
    }

    /// Opens the device of a machine that is closed, which maps all of its memory, and closes it. How long the map took.
    package func mapOnce() throws(MachineError) -> Duration {
        let opened = try OpenedDevice(configuration, logger: logger)
        defer { opened.simulation?.shutdown() }
        let backend = try Self.makeBackend(hook(opened.file), memory, configuration, logger)
        defer { backend.close() }
        guard let duration = backend.mapper.lastMapDuration else {
            throw .unsupported("the backend of a machine maps its memory when it is opened")
        }
        return duration
    }

    // MARK: Lifecycle

    /// Starts the device on the driver's rings.
    ///
    /// Where the start failed only after the device could run, nobody can tell how far it came: the rings then do what
    /// they do after a stop without ring positions. A start that is refused, of a device that runs, is suspended or is
    /// closed, changes nothing.
    package func start() throws(MachineError) { try startDevice(nextQueues()) }

    /// What the next start tells the device of its queues: the driver's part of a start.
    package func nextQueues() throws(MachineError) -> [VringSetup] {
        try bases.indices.map { (index) throws(MachineError) in try setup(index) }
    }

    /// The device's part of a start.
    ///
    /// A device that takes no ring position but 0 is started again with empty rings where these were recovered.
    package func startDevice(_ queues: [VringSetup]) throws(MachineError) {
        do throws(BackendError) {
            try backend.start(features: acceptedFeatures, queues: queues)
        } catch {
            guard rings == .recovered, error.refusesRingPosition else {
                // Of a device that could not even be reset nobody may touch the rings: it may still run.
                if error.ringsMayHaveMoved, backend.state == .stopped { try loseRings([]) }
                throw Self.cause(failure, .backend(error))
            }
            logger.warning(
                "\(error): recovered ring positions are of no use to this device, its rings start over")
            takesRingPositions = false
            try loseRings([])
            try startDevice(nextQueues())
        }
    }

    /// Where a worker has failed, what the backend was refused only follows from it.
    private static func cause(_ failure: WorkerFailure?, _ error: MachineError) -> MachineError {
        failure.map { .network(VirtioNetError(.workerFailed($0))) } ?? error
    }

    /// Stops the device. Returns what becomes of the rings.
    ///
    /// Where the device does not say where they stood, ``MachineConfiguration/lostRings`` decides. Frames in rings that
    /// start over count as abandoned; so do, either way, generated ones inside a real device, which a reset may drop.
    @discardableResult
    package func stop(reason: ResetReason = .stop) throws(MachineError) -> RingOutcome {
        try takeBack(stopDevice(reason: reason))
    }

    /// The device's part of a stop. What it returns goes to ``takeBack(_:)``, once: until then the driver does not know
    /// where its rings stand.
    package func stopDevice(reason: ResetReason = .stop) throws(MachineError) -> StoppedDevice {
        do throws(BackendError) {
            return StoppedDevice(states: try backend.stop(reason: reason))
        } catch {
            throw Self.cause(failure, .backend(error))
        }
    }

    /// The driver's part of a stop: it goes on where the rings stood, or starts over. Returns which.
    package func takeBack(_ stopped: consuming StoppedDevice) throws(MachineError) -> RingOutcome {
        let states = stopped.states
        let positions = states.compactMap(\.base)
        if positions.count == states.count {
            bases = positions
            rings = .kept
        } else {
            try loseRings(states)
        }
        return rings
    }

    /// Goes on without ring positions, or with those of `states` that there are.
    private func loseRings(_ states: [VringState]) throws(MachineError) {
        // A simulated one has none inside between two batches, and a reset comes between two.
        let mayDropFrames = simulation == nil
        if let recovered = try recoveredBases(states) {
            if mayDropFrames { driver.abandonInFlight() }
            bases = recovered
            rings = .recovered
        } else {
            try startOver(driverConfiguration, abandonsInFlight: mayDropFrames)
            rings = .startedOver
        }
    }

    /// Where the rings go on as guest memory says, but for those of `states` that are known; `nil` where they are to
    /// start over: only that heals a ring that the device has broken.
    private func recoveredBases(_ states: [VringState]) throws(MachineError) -> [VringBase]? {
        guard configuration.lostRings == .recover, takesRingPositions, !driver.findsBrokenRing() else {
            return nil
        }
        let known = Dictionary(
            states.compactMap { state in state.base.map { (state.index, $0) } }, uniquingKeysWith: { $1 })
        let queues = try nextQueues()
        do throws(BackendError) {
            return try queues.map { (queue) throws(BackendError) in
                if let base = known[queue.index] { return base }
                return try backend.recoveredBase(of: queue)
            }
        } catch {
            logger.warning("\(error)")
            return nil
        }
    }

    /// One stop and start.
    package func cycle() throws(MachineError) -> CycleMeasurement {
        let clock = ContinuousClock()
        let before = backend.counts
        let begin = clock.now
        try stop()
        let stopped = clock.now
        try start()
        return CycleMeasurement(
            duration: begin.duration(to: clock.now), stopDuration: begin.duration(to: stopped),
            counts: backend.counts - before, rings: rings)
    }

    /// Starts a device again that asked for a reset, with a driver that starts over.
    package func recover() throws(MachineError) {
        if try stop(reason: .recovery) != .startedOver { try reprobe(driverConfiguration) }
        try start()
    }

    /// Has the driver start over with empty rings, of another shape perhaps. Refused unless the device is stopped.
    package func reprobe(_ new: DriverConfiguration) throws(MachineError) {
        guard backend.state == .stopped || backend.state == .opened else {
            throw .unsupported(
                "the driver cannot start over with empty rings while the device is \(backend.state): stop it first"
            )
        }
        try startOver(new, abandonsInFlight: false)
    }

    private func startOver(
        _ new: DriverConfiguration, abandonsInFlight: Bool
    ) throws(MachineError) {
        do throws(VirtioNetError) {
            try driver.reinitialise(new, abandonsInFlight: abandonsInFlight)
        } catch {
            throw .network(error)
        }
        driverConfiguration = new
        bases = Array(repeating: .zero, count: bases.count)
    }

    private func setup(_ index: Int) throws(MachineError) -> VringSetup {
        let layout: RingLayout
        do throws(VirtQueueError) {
            layout = try driver.layout(
                index, size: driverConfiguration.queueSize, format: driverConfiguration.format)
        } catch {
            throw .network(VirtioNetError(.queue(error)))
        }
        return VringSetup(
            index: VringIndex(rawValue: UInt32(index)), layout: layout, base: bases[index],
            kick: driver.signals[index].kick.descriptor, call: driver.signals[index].call.descriptor)
    }

    /// The features of the next start: what the driver uses of what the device offers.
    package var acceptedFeatures: VirtioFeatures {
        let base: VirtioFeatures = [.version1, .accessPlatform, .mac, .mtu, .status, .anyLayout]
        return base.union(driverConfiguration.features)
            .intersection(backend.negotiated.deviceFeatures)
    }

    // MARK: Assembly

    private static func makeBackend(
        _ file: any CharacterDevice, _ memory: PCMemoryLayout, _ configuration: MachineConfiguration,
        _ logger: Logger
    ) throws(MachineError) -> VhostVDPABackend {
        do throws(BackendError) {
            return try VhostVDPABackend(
                device: file, addressSpace: memory.addressSpace,
                configuration: BackendConfiguration(persist: configuration.persist), logger: logger)
        } catch {
            throw .backend(error)
        }
    }
}

extension BackendError {
    /// Whether a start failed as the device takes no ring position but 0: vp_vdpa's answer (`vp_vdpa_set_vq_state`).
    fileprivate var refusesRingPosition: Bool {
        guard let deviceError, deviceError.call.hasPrefix("SET_VRING_BASE") else { return false }
        return deviceError.errno == .notSupportedOnSocket || deviceError.errno == .notSupported
    }
}
