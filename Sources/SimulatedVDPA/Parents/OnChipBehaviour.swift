internal import GuestMemory
internal import VhostVDPA

/// How an on-chip parent treats its maps: the rows (b), (c), (d) and (f) of the decision table.
package struct OnChipBehaviour: Hashable, Sendable {
    package var kernel: KernelVersion
    /// `set_map` or `dma_map`; an on-chip parent has one of them.
    package var mapOperation: MapOperation
    /// `.reset_map` exists: PERSIST is offered, and a close brings the initial state back.
    package var hasResetMap: Bool
    /// `.compat_reset` exists: a reset without an acknowledged PERSIST drops the maps.
    package var hasCompatReset: Bool
    /// `.reset` itself drops the maps, whatever was negotiated.
    package var wipesOnReset: Bool
    package var usesVirtualAddresses: Bool
    /// The most entries of one address space; `nil` for any number.
    package var entryLimit: Int?

    package init(
        kernel: KernelVersion, mapOperation: MapOperation, hasResetMap: Bool, hasCompatReset: Bool,
        wipesOnReset: Bool, usesVirtualAddresses: Bool, entryLimit: Int?
    ) {
        self.kernel = kernel
        self.mapOperation = mapOperation
        self.hasResetMap = hasResetMap
        self.hasCompatReset = hasCompatReset
        self.wipesOnReset = wipesOnReset
        self.usesVirtualAddresses = usesVirtualAddresses
        self.entryLimit = entryLimit
    }

    /// What the parent tells vhost-vdpa about itself.
    func description(of profile: NetworkDeviceProfile) -> ParentDescription {
        var operations: ParentOperations = [.suspend, .queueGroup, .setGroupAddressSpace]
        if kernel.hasResume { operations.insert(.resume) }
        if hasResetMap { operations.insert(.resetMap) }
        if hasCompatReset { operations.insert(.compatReset) }
        // vdpa_sim has get_vq_size among its dma_map operations only.
        if mapOperation == .dmaMap { operations.insert(.queueSize) }
        return ParentDescription(
            deviceID: 1, vendorID: 0, queueCount: profile.queueCount,
            maximumQueueSize: profile.maximumQueueSize, groupCount: profile.groupCount,
            addressSpaceCount: profile.addressSpaceCount,
            configurationSize: NetworkDeviceProfile.configurationSize,
            iovaRange: AddressRange(everything: IOVirtualAddress.self),
            usesVirtualAddresses: usesVirtualAddresses, mapOperation: mapOperation, operations: operations,
            declaredBackendFeatures: kernel == .v6_1 ? [] : [.enableAfterDriverOK])
    }
}

extension AddressRange {
    /// The whole 64-bit space.
    init(everything: Address.Type) {
        guard let range = AddressRange(first: Address(rawValue: 0), last: Address(rawValue: .max)) else {
            preconditionFailure("0 lies below the highest address")
        }
        self = range
    }
}
