package import GuestMemory
package import SystemPackage
package import VirtQueue
package import Virtio
package import VirtioDevice
package import VirtioNet

/// A simulated device of any kind and its parent driver, with an IOMMU of its own or behind the platform's.
///
/// It exists from creation to ``shutdown()``, whether a character device is open or not: that is why the state
/// of on-chip maps outlives a close. Control thread only; what the worker touches is in ``ParentEvents``.
package final class SimulatedParent: ParentDriver {
    package let description: ParentDescription
    /// What is wrong with the device.
    package let faults: FaultInjector
    private let kind: any DeviceKind
    private let behaviour: ParentBehaviour
    private let queues: ParentQueues
    private let doorbells: DoorbellWatch
    private let iommu: ParentIOMMU
    private let events: ParentEvents
    package let dataPath: any DataPath
    private let configurationSpace: ConfigurationSpace
    private let registers: (any ConfigurationRegisters)?
    /// The features the driver set: those the device has, or all of them where the parent remembers all.
    package private(set) var driverFeatures: VirtioFeatures = []
    /// The features in vp_vdpa's register, which a reset leaves there (``ParentBehaviour/keepsFeatureRegister``).
    private var featureRegister: VirtioFeatures = []
    /// Features were set since the last reset. Who reads the configuration before sets none (`vdpa_get_config_unlocked`).
    private var hasFeatures = false
    /// What the driver set; NEEDS_RESET is the device's own.
    private var storedStatus: DeviceStatus = []
    /// Suspended until a resume or a reset, whatever status is set (``ParentBehaviour/staysSuspended``); or broken, until a
    /// reset.
    private var isHeld = false

    /// Makes the device with the data path of its kind, whose thread is called `worker` and whose wire is `wire`.
    package convenience init(
        kind: any DeviceKind, behaviour: ParentBehaviour, worker: String, wire: consuming WirePort
    ) throws {
        let events = ParentEvents(asksForReset: kind.asksForReset)
        let dataPath = try kind.makeDataPath(name: worker, wire: wire, report: { events.report($0) })
        self.init(kind: kind, behaviour: behaviour, dataPath: dataPath, events: events)
    }

    /// Makes the device with a data path of `makeDataPath`.
    package convenience init(
        kind: any DeviceKind, behaviour: ParentBehaviour, makeDataPath: DataPathFactory
    ) throws {
        let events = ParentEvents(asksForReset: kind.asksForReset)
        let dataPath = try makeDataPath(kind, events: { events.report($0) })
        self.init(kind: kind, behaviour: behaviour, dataPath: dataPath, events: events)
    }

    private init(
        kind: any DeviceKind, behaviour: ParentBehaviour, dataPath: any DataPath, events: ParentEvents
    ) {
        self.kind = kind
        self.behaviour = behaviour
        self.events = events
        self.dataPath = dataPath
        description = behaviour.description(of: kind)
        faults = FaultInjector(behaviour.fault)
        queues = ParentQueues(
            count: kind.queues.count, movesLiveRings: behaviour.movesLiveRings,
            takesRingsAtStart: behaviour.takesRingsAtStart, sizeAfterReset: kind.sizeAfterReset,
            dataPath: dataPath)
        doorbells = DoorbellWatch { queues in dataPath.kick(queues) }
        iommu = ParentIOMMU(
            behaviour, description: description,
            groupsOfQueues: (0..<kind.queues.count).map { kind.group(ofQueue: $0) },
            groupsOfRings: description.operations.contains(.descriptorGroup)
                ? (0..<kind.queues.count).map { kind.descriptorGroup(ofQueue: $0) } : [],
            faults: faults, dataPath: dataPath)
        configurationSpace = dataPath.configurationSpace ?? ConfigurationSpace(kind.configuration)
        registers = kind.configurationRegisters(of: configurationSpace)
    }

    deinit { shutdown() }

    /// Ends the worker. Every later call does nothing.
    package func shutdown() {
        doorbells.end()
        dataPath.shutdown()
    }

    /// What is known about the device, for listings and tests.
    package var parentDiagnostics: ParentDiagnostics {
        ParentDiagnostics(
            addressSpaces: iommu.diagnostics, groupAddressSpaces: iommu.groups, runningQueues: queues.running,
            faultCount: events.faultCount + memory.vanished.count,
            recentFaults: events.recentFaults,
            brokenQueues: events.brokenQueues, needsReset: events.needsReset)
    }

    // MARK: Features and configuration

    package var deviceFeatures: VirtioFeatures { kind.features }

    /// Takes the features the device has; EINVAL without ACCESS_PLATFORM where the driver insists on it.
    package func setDriverFeatures(_ features: VirtioFeatures) throws(Errno) {
        if behaviour.accessPlatformCheck == .settingFeatures, !features.contains(.accessPlatform) {
            throw .invalidArgument
        }
        (featureRegister, hasFeatures) = (features, true)
        driverFeatures =
            behaviour.remembersUnofferedFeatures ? features : features.intersection(deviceFeatures)
        dataPath.setFeatures(dataPathFeatures)
    }

    package func configuration(at offset: Int, count: Int) -> [UInt8] {
        if !hasFeatures { (featureRegister, hasFeatures) = ([], true) }
        kind.refresh(configurationSpace)
        return registers?.read(at: offset, count: count) ?? configurationSpace.read(at: offset, count: count)
    }

    package func setConfiguration(_ bytes: [UInt8], at offset: Int) {
        guard !behaviour.hasFixedConfiguration else { return }
        if let registers {
            registers.write(bytes, at: offset, features: driverFeatures.intersection(deviceFeatures))
        } else {
            configurationSpace.write(bytes, at: offset)
        }
    }

    package func setConfigurationCall(_ file: EventFile?) { events.setConfigurationCall(file) }

    // MARK: Lifecycle

    package var status: DeviceStatus { events.needsReset ? storedStatus.union(.needsReset) : storedStatus }

    package func setStatus(_ status: DeviceStatus) {
        doorbells.look()
        guard takes(status) else { return }
        let runs = status.contains(.driverOK)
        let starts = runs && !storedStatus.contains(.driverOK)
        storedStatus = status
        if runs, !isHeld { queues.run(dataPathFeatures) } else { queues.halt() }
        if starts, kind.looksAtStart, !queues.running.isEmpty { dataPath.kick(0..<kind.queues.count) }
        if starts, faults.diesAtStart() { die() }
    }

    /// Whether the device accepts the features that FEATURES_OK is to settle; it stays at its old status otherwise. Without
    /// VERSION_1 there is nothing to settle (`virtio_set_status` of QEMU 7.2, hw/virtio/virtio.c).
    private func takes(_ status: DeviceStatus) -> Bool {
        behaviour.accessPlatformCheck != .settingFeaturesOK || !status.contains(.featuresOK)
            || storedStatus.contains(.featuresOK) || !driverFeatures.contains(.version1)
            || driverFeatures.contains(.accessPlatform)
    }

    /// Stops for good, until a reset, and asks for one (virtio 1.2, section 2.1.1).
    private func die() {
        queues.halt()
        events.requestReset()
    }

    /// Stands still until a reset, as a device does whose driver has made a mistake. A driver that knows of NEEDS_RESET is
    /// told, and called where the device runs, the first time: a device that is broken calls nobody (`virtio_error` and
    /// `virtio_notify_vector` of QEMU 7.2, hw/virtio/virtio.c).
    private func breakDown() {
        let wasBroken = isHeld
        queues.halt()
        isHeld = true
        if driverFeatures.contains(.version1) {
            events.requestReset(calling: !wasBroken && storedStatus.contains(.driverOK))
        }
    }

    package func suspend() throws(Errno) {
        doorbells.look()
        faults.delay()
        try faults.checkSuspend()
        isHeld = behaviour.staysSuspended
        queues.suspend()
        if behaviour.losesControlQueue, driverFeatures.contains(.controlQueue),
            let control = kind.queues.queue(.control)
        {
            queues.setReady(false, queue: control, features: [])
        }
    }

    package func resume() throws(Errno) {
        doorbells.look()
        faults.delay()
        isHeld = false
        queues.resume()
    }

    package func reset() throws(Errno) { reset([]) }

    package func compatReset(_ flags: ResetFlags) throws(Errno) { reset(flags) }

    /// Stops everything before anything is taken away.
    private func reset(_ flags: ResetFlags) {
        doorbells.look()
        faults.delay()
        queues.reset(
            forgetsSizes: behaviour.resetForgetsQueueSizes, keepsKicks: behaviour.keepsKicksOverReset)
        iommu.resetGroups()
        if flags.contains(.cleanMap) || behaviour.wipesOnReset || faults.losesMaps { iommu.loseMaps() }
        driverFeatures = []
        hasFeatures = false
        if !behaviour.keepsFeatureRegister { featureRegister = [] }
        dataPath.setFeatures([])
        storedStatus = []
        isHeld = false
        registers?.reset()
        events.reset()
    }

    // MARK: Queues

    package func setQueueSize(_ size: UInt32, queue: Int) { queues.setSize(size, queue: queue) }

    package func setQueueAddresses(_ addresses: RingAddresses, queue: Int) throws(Errno) {
        queues.setAddresses(addresses, queue: queue)
    }

    /// vp_vdpa takes only what the device has anyway, the beginning of an empty ring, at a moment when nothing
    /// can have moved yet (`vp_vdpa_set_vq_state`). Whether that is a packed ring's its register says.
    package func setQueueState(_ state: QueueState, queue: Int) throws(Errno) {
        if !behaviour.hasRingState {
            guard isFresh(queue), state == .initial(.split), !featureRegister.contains(.packedRing) else {
                throw .operationNotSupported
            }
        }
        queues.setState(state, queue: queue)
    }

    /// No queue here is packed, so that the state is of none: VDUSE keeps it for a daemon that never asks for it, vp_vdpa
    /// takes what a packed ring begins with (`vp_vdpa_set_vq_state_packed`).
    package func setPackedQueueState(_ base: VringBase, queue: Int) throws(Errno) {
        guard behaviour.hasRingState || isFresh(queue) && base == Self.packedBeginning else {
            throw .operationNotSupported
        }
    }

    /// Both indices of a packed ring 0 and both wrap counters 1.
    private static let packedBeginning = VringBase(rawValue: 0x8000_8000)

    /// Nothing can have moved in the queue since the last reset.
    private func isFresh(_ queue: Int) -> Bool {
        storedStatus.contains(.featuresOK) && !queues.isReady(queue)
    }

    /// EOPNOTSUPP where the driver cannot say (`vp_vdpa_get_vq_state`).
    package func queueState(_ queue: Int) throws(Errno) -> QueueState {
        guard behaviour.hasRingState else { throw .operationNotSupported }
        faults.delay()
        return queues.state(of: queue)
    }

    /// vdpa_sim: the maximum until DRIVER_OK, then what the driver set (verified on 6.12.117: conformance rule
    /// 24). The others have a register that begins at the maximum and takes what the driver sets.
    package func queueSize(_ queue: Int) -> UInt32 {
        let maximum = min(UInt32(description.maximumQueueSize), UInt32(kind.ringSize(ofQueue: queue)))
        let set = queues.size(of: queue)
        if behaviour.resetForgetsQueueSizes { return set == 0 ? maximum : set }
        return storedStatus.contains(.driverOK) ? set : maximum
    }

    package func setQueueReady(_ isReady: Bool, queue: Int) {
        doorbells.look()
        guard isReady || !kind.breaksOnMistakes else { return breakDown() }
        if kind.breaksOnMistakes, !hasWholeRing(queue) { breakDown() }
        queues.setReady(isReady, queue: queue, features: dataPathFeatures)
    }

    /// The queue has no ring, or one of which every byte has an address.
    private func hasWholeRing(_ queue: Int) -> Bool {
        let addresses = queues.addresses(of: queue)
        guard addresses.descriptorArea.rawValue != 0 else { return true }
        let size = UInt64(queueSize(queue))
        let event: UInt64 = driverFeatures.contains(.eventIndex) ? 2 : 0
        let areas = [
            (addresses.descriptorArea, 16 * size), (addresses.driverArea, 4 + 2 * size + event),
            (addresses.deviceArea, 4 + 8 * size + event),
        ]
        return areas.allSatisfy { area, byteCount in area.rawValue <= .max - byteCount }
    }

    /// Those of the negotiated features that the data path goes by.
    private var dataPathFeatures: VirtioFeatures {
        driverFeatures.intersection(deviceFeatures).intersection(kind.dataPathFeatures)
    }

    package func setKick(_ file: EventFile?, queue: Int) {
        queues.setKick(file, queue: queue)
    }

    /// The page of a queue's doorbell, which kicks it when it is written to; EINVAL for what is no queue.
    func doorbell(ofQueue queue: Int) throws(Errno) -> DoorbellPage {
        guard queue < description.queueCount else { throw .invalidArgument }
        guard description.doorbellStride == 0 else { return try doorbells.page(of: queue..<queue + 1) }
        // mlx5's control queue is software and has none.
        guard queue < kind.queues.frameQueues.count else { throw .kernelNotSupported }
        return try doorbells.page(of: kind.queues.frameQueues)
    }

    /// Hears no more of what is written to a doorbell, wherever its page is still mapped.
    func unmapDoorbells() { doorbells.end() }

    /// Has the device see what was written to its doorbells until now.
    package func lookAtDoorbells() { doorbells.look() }

    package func setCallback(_ file: EventFile?, queue: Int) {
        queues.setCall(file, queue: queue)
    }

    package func group(ofQueue queue: Int) -> UInt32 { kind.group(ofQueue: queue) }

    package func descriptorGroup(ofQueue queue: Int) -> UInt32 { kind.descriptorGroup(ofQueue: queue) }

    // MARK: Maps

    /// Keeps mapped memory within the device's reach.
    package var memory: DeviceMemory { iommu.memory }

    /// The IOMMU in front of a device whose parent has no map operations (`vdpa_get_dma_dev`); else `nil`.
    package var platformIOMMU: PlatformIOMMU? { iommu.platform }

    package func setMap(_ entries: [TranslationEntry], addressSpace: UInt32) throws(Errno) {
        try iommu.setMap(entries, addressSpace: addressSpace)
    }

    package func map(_ entry: TranslationEntry, addressSpace: UInt32) throws(Errno) {
        try iommu.map(entry, addressSpace: addressSpace)
    }

    package func unmap(_ range: AddressRange<IOVirtualAddress>, addressSpace: UInt32) {
        iommu.unmap(range, addressSpace: addressSpace)
    }

    /// Lets the device see what `map` and `unmap`, or the platform's IOMMU, have changed. vhost-vdpa calls it once per
    /// message: the kernel's device sees each entry at once, and our worker takes a table as a whole.
    package func applyMaps() { iommu.apply() }

    package func resetMap(addressSpace: UInt32) throws(Errno) {
        try iommu.resetMap(addressSpace: addressSpace)
    }

    package func setGroup(_ group: UInt32, addressSpace: UInt32) throws(Errno) {
        try iommu.setGroup(group, addressSpace: addressSpace)
    }

    // MARK: The DMA API, by which a driver in the kernel itself has its memory reached

    /// Lets the device reach `memory` and returns the address it has for the first byte (`dma_map_single`).
    package func mapKernelMemory(_ memory: AddressRange<HostAddress>) throws(Errno) -> IOVirtualAddress {
        try iommu.mapKernelMemory(memory)
    }

    /// Takes back what ``mapKernelMemory(_:)`` gave (`dma_unmap_single`). No queue may be running.
    package func unmapKernelMemory(_ memory: AddressRange<HostAddress>) { iommu.unmapKernelMemory(memory) }
}
