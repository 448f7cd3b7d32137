internal import GuestMemory
package import SimulatedVDPA
package import VhostVDPAConformance

extension MapProfile {
    /// What the decision table says of the device that a specification describes.
    package init(_ specification: SimulatedDeviceSpecification) {
        self.init(
            mapOperation: specification.parent == .dmaMap ? .dmaMap : .setMap,
            hasResetMap: specification.hasResetMap, hasCompatReset: specification.hasCompatReset,
            wipesOnReset: specification.wipesOnReset, declaresPersistence: false,
            startsInIdentity: specification.kernel.startsInIdentity,
            usesVirtualAddresses: specification.usesVirtualAddresses,
            addressSpaceCount: UInt32(NetworkDeviceProfile.standard().addressSpaceCount),
            entryLimit: specification.entryLimit,
            fragmentPages: specification.fragment.map { $0 / PageSize.current },
            refusesGroupChangeWhileRunning: specification.kernel.refusesGroupChangeAfterDriverOK)
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
