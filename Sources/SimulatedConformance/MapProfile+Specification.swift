internal import GuestMemory
internal import LinuxHost
package import SimulatedVDPA
internal import VhostVDPA
package import VhostVDPAConformance

extension MapProfile {
    /// What the decision table says of the device that a specification describes.
    package init(_ specification: SimulatedDeviceSpecification) {
        let kernel = specification.kernel
        let isOnChip = [.setMap, .dmaMap, .mlx5, .vendor].contains(specification.parent)
        self.init(
            mapOperation: specification.parent.mapOperation,
            hasResetMap: specification.hasResetMap, hasCompatReset: specification.hasCompatReset,
            wipesOnReset: specification.wipesOnReset, offersPersistence: specification.offersPersist,
            startsInIdentity: isOnChip && kernel.startsInIdentity,
            hasOneIdentity: specification.parent == .mlx5,
            usesVirtualAddresses: specification.usesVirtualAddresses, addressSpaceCount: isOnChip ? 2 : 1,
            entryLimit: specification.entryLimit,
            fragmentPages: specification.fragment.map { $0 / HostPage.byteCount },
            refusesGroupChangeWhileRunning: kernel.refusesGroupChangeAfterDriverOK, hasGroups: isOnChip,
            canSuspend: specification.parent.canSuspend(under: kernel),
            checksSuspendFirst: kernel.checksSuspendOperationFirst)
    }
}

extension DeviceInterior {
    /// The simulation's own account in plain numbers.
    init(_ diagnostics: SimulatedDeviceDiagnostics) {
        self.init(
            device: diagnostics.device.addressSpaces.map {
                Space(entries: $0.entries.map(Entry.init), isIdentity: $0.isIdentity)
            },
            vhost: diagnostics.vhostEntries.mapValues { $0.map(Entry.init) },
            groupSpace: diagnostics.device.groupAddressSpaces.first ?? 0,
            pinnedPages: diagnostics.pinnedPages, isOpen: diagnostics.isOpen)
    }
}

extension DeviceInterior.Entry {
    init(_ entry: TranslationEntry) {
        self.init(
            first: entry.range.first.rawValue, last: entry.range.last.rawValue, host: entry.host.rawValue,
            access: entry.access.rawValue)
    }
}
