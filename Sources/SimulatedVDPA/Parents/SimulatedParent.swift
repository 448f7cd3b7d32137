internal import GuestMemory
internal import VirtioNet
internal import VhostVDPA

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
    package let platformIOMMU: PlatformIOMMU?

    var storedStatus: DeviceStatus = []
    package internal(set) var driverFeatures: UInt64 = 0
    /// Queues may process: DRIVER_OK is set and no suspend took it back.
    var isRunning = false
    var queues: [ParentQueue]
    /// The on-chip IOMMU; empty behind the platform's.
    var addressSpaces: [OnChipAddressSpace]
    /// Address spaces with changes that the data path has not been given yet.
    var staleAddressSpaces: Set<Int> = []
    /// The address space of each group.
    var groupAddressSpaces: [UInt32]
    let configurationSpace: ConfigurationSpace
    package let memory = DeviceMemory()
    /// The memory of a driver in the kernel, with the addresses the device has for it.
    var kernelMemory: [TranslationEntry] = []

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
        let isBehindPlatform = behaviour.mapOperation == .platform
        platformIOMMU = isBehindPlatform ? PlatformIOMMU() : nil
        addressSpaces = Array(
            repeating: OnChipAddressSpace(
                limit: behaviour.entryLimit, isIdentity: behaviour.startsInIdentity),
            count: isBehindPlatform ? 0 : description.addressSpaceCount)
        groupAddressSpaces = Array(repeating: 0, count: description.groupCount)
        configurationSpace = dataPath.configurationSpace ?? ConfigurationSpace(profile.configuration)
        platformIOMMU?.onChange = { [unowned self] in staleAddressSpaces.insert(0) }
    }

    deinit { dataPath.shutdown() }

    package func shutdown() { dataPath.shutdown() }

    package var parentDiagnostics: ParentDiagnostics {
        ParentDiagnostics(
            addressSpaces: mapDiagnostics,
            groupAddressSpaces: groupAddressSpaces,
            runningQueues: queues.indices.filter { queues[$0].isStarted },
            faultCount: events.faultCount, recentFaults: events.recentFaults,
            brokenQueues: events.brokenQueues, needsReset: events.needsReset)
    }

    private var mapDiagnostics: [ParentDiagnostics.AddressSpace] {
        if let platformIOMMU {
            return [.init(entries: platformIOMMU.entries, isIdentity: platformIOMMU.domain == nil)]
        }
        return addressSpaces.map { .init(entries: $0.table.entries, isIdentity: $0.isIdentity) }
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
