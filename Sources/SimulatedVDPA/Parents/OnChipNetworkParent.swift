internal import VirtioNet
internal import VhostVDPA

/// A network card with its own IOMMU, as vdpa_sim and mlx5 are: `set_map` or `dma_map`, no platform IOMMU.
///
/// It exists from creation to ``shutdown()``, whether a character device is open or not: that is why the state
/// of its maps outlives a close. Control thread only; what the worker touches is in ``ParentEvents``.
package final class OnChipNetworkParent: ParentDriver {
    package let description: ParentDescription
    package let profile: NetworkDeviceProfile
    let behaviour: OnChipBehaviour
    let events: ParentEvents
    let dataPath: any DataPath

    var storedStatus: DeviceStatus = []
    package internal(set) var driverFeatures: UInt64 = 0
    /// Queues may process: DRIVER_OK is set and no suspend took it back.
    var isRunning = false
    var queues: [QueueState]
    var addressSpaces: [OnChipAddressSpace]
    /// The address space of each group.
    var groupAddressSpaces: [UInt32]
    var configurationBytes: [UInt8]

    /// Makes the device and starts its data path.
    package init(
        profile: NetworkDeviceProfile, behaviour: OnChipBehaviour, makeDataPath: DataPathFactory
    ) throws {
        self.profile = profile
        self.behaviour = behaviour
        let events = ParentEvents()
        self.events = events
        dataPath = try makeDataPath(profile, events: { events.report($0) })
        description = behaviour.description(of: profile)
        queues = Array(repeating: QueueState(), count: profile.queueCount)
        addressSpaces = Array(
            repeating: OnChipAddressSpace(
                limit: behaviour.entryLimit, isIdentity: behaviour.kernel.startsInIdentity),
            count: profile.addressSpaceCount)
        groupAddressSpaces = Array(repeating: 0, count: profile.groupCount)
        configurationBytes = profile.configuration
    }

    deinit { dataPath.shutdown() }

    package func shutdown() { dataPath.shutdown() }

    package var parentDiagnostics: ParentDiagnostics {
        ParentDiagnostics(
            addressSpaces: addressSpaces.map { .init(entries: $0.table.entries, isIdentity: $0.isIdentity) },
            groupAddressSpaces: groupAddressSpaces,
            runningQueues: queues.indices.filter { queues[$0].isStarted },
            faultCount: events.faultCount, recentFaults: events.recentFaults,
            brokenQueues: events.brokenQueues, needsReset: events.needsReset)
    }
}

/// The configuration space.
extension OnChipNetworkParent {
    package func configuration(at offset: Int, count: Int) -> [UInt8] {
        guard offset >= 0, count >= 0, offset + count <= configurationBytes.count else { return [] }
        return Array(configurationBytes[offset..<offset + count])
    }

    package func setConfiguration(_ bytes: [UInt8], at offset: Int) {
        guard offset >= 0, offset + bytes.count <= configurationBytes.count else { return }
        configurationBytes.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    package func setConfigurationCall(_ file: EventFile?) { events.setConfigurationCall(file) }
}
