package import GuestMemory
package import SystemPackage
internal import VhostVDPA
internal import VirtioNet

/// A network card and its parent driver, with an IOMMU of its own or behind the platform's.
///
/// It exists from creation to ``shutdown()``, whether a character device is open or not: that is why the state
/// of on-chip maps outlives a close. Control thread only; what the worker touches is in ``ParentEvents``.
package final class SimulatedParent: ParentDriver {
    package let description: ParentDescription
    package let profile: NetworkDeviceProfile
    let behaviour: ParentBehaviour
    let events: ParentEvents
    let dataPath: any DataPath
    package let faults: FaultInjector
    let iommu: ParentIOMMU

    var storedStatus: DeviceStatus = []
    package internal(set) var driverFeatures: UInt64 = 0
    /// Queues may process: DRIVER_OK is set and no suspend took it back.
    var isRunning = false
    var queues: [ParentQueue]
    let configurationSpace: ConfigurationSpace

    /// Makes the device and starts its data path.
    package init(
        profile: NetworkDeviceProfile, behaviour: ParentBehaviour, makeDataPath: DataPathFactory
    ) throws {
        self.profile = profile
        self.behaviour = behaviour
        let events = ParentEvents()
        self.events = events
        dataPath = try makeDataPath(profile, events: { events.report($0) })
        description = behaviour.description(of: profile)
        queues = Array(repeating: ParentQueue(), count: profile.queueCount)
        faults = FaultInjector(behaviour.fault)
        iommu = ParentIOMMU(
            behaviour, description: description,
            groupsOfQueues: (0..<profile.queueCount).map(profile.group(ofQueue:)), faults: faults,
            dataPath: dataPath)
        configurationSpace = dataPath.configurationSpace ?? ConfigurationSpace(profile.configuration)
    }

    deinit { dataPath.shutdown() }

    package func shutdown() { dataPath.shutdown() }

    package var parentDiagnostics: ParentDiagnostics {
        ParentDiagnostics(
            addressSpaces: iommu.diagnostics, groupAddressSpaces: iommu.groups,
            runningQueues: queues.indices.filter { queues[$0].isStarted },
            faultCount: events.faultCount, recentFaults: events.recentFaults,
            brokenQueues: events.brokenQueues, needsReset: events.needsReset)
    }
}

/// The configuration space.
extension SimulatedParent {
    package func configuration(at offset: Int, count: Int) -> [UInt8] {
        configurationSpace.read(at: offset, count: count)
    }

    package func setConfiguration(_ bytes: [UInt8], at offset: Int) {
        configurationSpace.write(bytes, at: offset)
    }

    package func setConfigurationCall(_ file: EventFile?) { events.setConfigurationCall(file) }
}

/// Maps.
extension SimulatedParent {
    package var memory: DeviceMemory { iommu.memory }

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

    package func applyMaps() { iommu.apply() }

    package func resetMap(addressSpace: UInt32) throws(Errno) {
        try iommu.resetMap(addressSpace: addressSpace)
    }

    package func setGroup(_ group: UInt32, addressSpace: UInt32) throws(Errno) {
        try iommu.setGroup(group, addressSpace: addressSpace)
    }

    package func mapKernelMemory(_ memory: AddressRange<HostAddress>) throws(Errno) -> IOVirtualAddress {
        try iommu.mapKernelMemory(memory)
    }

    package func unmapKernelMemory(_ memory: AddressRange<HostAddress>) { iommu.unmapKernelMemory(memory) }
}
