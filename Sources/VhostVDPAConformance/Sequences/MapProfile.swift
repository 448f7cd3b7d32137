package import VhostVDPA

/// What the decision table needs to know of a parent to say where its maps are after anything.
package struct MapProfile: Hashable, Sendable {
    package var mapOperation: MapOperation
    /// The parent has `.reset_map`: a close brings its first state back.
    package var hasResetMap: Bool
    /// The parent has `.compat_reset`: a reset without the acknowledgement drops the maps.
    package var hasCompatReset: Bool
    /// The parent's `.reset` drops the maps, whatever was acknowledged.
    package var wipesOnReset: Bool
    /// IOTLB_PERSIST is offered.
    package var offersPersistence: Bool
    /// A fresh address space is 1:1, otherwise it is empty.
    package var startsInIdentity: Bool
    /// Only address space 0 is, every other one begins empty.
    package var hasOneIdentity: Bool
    package var usesVirtualAddresses: Bool
    package var addressSpaceCount: UInt32
    /// The most entries of an address space; `nil` for any number.
    package var entryLimit: Int?
    /// The length of a physically contiguous run in pages; `nil` for unbroken memory.
    package var fragmentPages: Int?
    /// SET_GROUP_ASID is EBUSY once the device runs.
    package var refusesGroupChangeWhileRunning: Bool
    /// The parent has SET_GROUP_ASID.
    package var hasGroups: Bool
    /// The parent has SUSPEND.
    package var canSuspend: Bool
    /// SUSPEND looks for the parent's operation before it looks at DRIVER_OK.
    package var checksSuspendFirst: Bool

    package init(
        mapOperation: MapOperation, hasResetMap: Bool, hasCompatReset: Bool, wipesOnReset: Bool,
        offersPersistence: Bool, startsInIdentity: Bool, hasOneIdentity: Bool = false,
        usesVirtualAddresses: Bool, addressSpaceCount: UInt32, entryLimit: Int?, fragmentPages: Int?,
        refusesGroupChangeWhileRunning: Bool, hasGroups: Bool, canSuspend: Bool, checksSuspendFirst: Bool
    ) {
        self.mapOperation = mapOperation
        self.hasResetMap = hasResetMap
        self.hasCompatReset = hasCompatReset
        self.wipesOnReset = wipesOnReset
        self.offersPersistence = offersPersistence
        self.startsInIdentity = startsInIdentity
        self.hasOneIdentity = hasOneIdentity
        self.usesVirtualAddresses = usesVirtualAddresses
        self.addressSpaceCount = addressSpaceCount
        self.entryLimit = entryLimit
        self.fragmentPages = fragmentPages
        self.refusesGroupChangeWhileRunning = refusesGroupChangeWhileRunning
        self.hasGroups = hasGroups
        self.canSuspend = canSuspend
        self.checksSuspendFirst = checksSuspendFirst
    }

    /// The row of the decision table: whether the device's maps live through a status reset.
    package func keepsMaps(whenAcknowledged isAcknowledged: Bool) -> Bool {
        guard mapOperation != .platform else { return true }
        return !wipesOnReset && (isAcknowledged || !hasCompatReset)
    }
}
