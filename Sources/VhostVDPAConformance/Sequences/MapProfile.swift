/// What the decision table needs to know of a parent to say where its maps are after anything.
package struct MapProfile: Hashable, Sendable {
    package var mapOperation: DeviceTraits.MapOperation
    /// The parent has `.reset_map`: a close brings its first state back, and IOTLB_PERSIST is offered.
    package var hasResetMap: Bool
    /// The parent has `.compat_reset`: a reset without the acknowledgement drops the maps.
    package var hasCompatReset: Bool
    /// The parent's `.reset` drops the maps, whatever was acknowledged.
    package var wipesOnReset: Bool
    /// The parent declares IOTLB_PERSIST itself.
    package var declaresPersistence: Bool
    /// A fresh address space is 1:1, otherwise it is empty.
    package var startsInIdentity: Bool
    package var usesVirtualAddresses: Bool
    package var addressSpaceCount: UInt32
    /// The most entries of an address space; `nil` for any number.
    package var entryLimit: Int?
    /// The length of a physically contiguous run in pages; `nil` for unbroken memory.
    package var fragmentPages: Int?
    /// SET_GROUP_ASID is EBUSY once the device runs.
    package var refusesGroupChangeWhileRunning: Bool

    package init(
        mapOperation: DeviceTraits.MapOperation, hasResetMap: Bool, hasCompatReset: Bool, wipesOnReset: Bool,
        declaresPersistence: Bool, startsInIdentity: Bool, usesVirtualAddresses: Bool,
        addressSpaceCount: UInt32, entryLimit: Int?, fragmentPages: Int?,
        refusesGroupChangeWhileRunning: Bool
    ) {
        self.mapOperation = mapOperation
        self.hasResetMap = hasResetMap
        self.hasCompatReset = hasCompatReset
        self.wipesOnReset = wipesOnReset
        self.declaresPersistence = declaresPersistence
        self.startsInIdentity = startsInIdentity
        self.usesVirtualAddresses = usesVirtualAddresses
        self.addressSpaceCount = addressSpaceCount
        self.entryLimit = entryLimit
        self.fragmentPages = fragmentPages
        self.refusesGroupChangeWhileRunning = refusesGroupChangeWhileRunning
    }

    /// IOTLB_PERSIST is offered.
    package var offersPersistence: Bool { hasResetMap || declaresPersistence || mapOperation == .platform }

    /// The row of the decision table: whether the device's maps live through a status reset.
    package func keepsMaps(whenAcknowledged isAcknowledged: Bool) -> Bool {
        guard mapOperation != .platform else { return true }
        return !wipesOnReset && (isAcknowledged || !hasCompatReset)
    }
}
