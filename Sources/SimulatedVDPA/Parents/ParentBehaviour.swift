internal import GuestMemory
internal import LinuxHost
package import VhostVDPA
internal import Virtio

/// How a simulated device's parent driver behaves: which operations it has, and what a reset does to its maps.
///
/// Which of them make a map outlive a reset and a close: `DecisionTableTests`.
package struct ParentBehaviour: Hashable, Sendable {
    package var kernel: KernelVersion
    package var mapOperation: MapOperation
    /// The operations apart from those that follow from the other values.
    package var operations: ParentOperations
    /// `.reset_map` exists: PERSIST is offered, and a close brings the initial state back.
    package var hasResetMap: Bool
    /// `.compat_reset` exists: a reset without an acknowledged PERSIST drops the maps.
    package var hasCompatReset: Bool
    /// `.reset` itself drops the maps, whatever was negotiated.
    package var wipesOnReset: Bool
    package var usesVirtualAddresses: Bool
    /// The most entries of one on-chip address space; `nil` for any number.
    package var entryLimit: Int?
    /// An on-chip address space that nobody has mapped into is 1:1; else it is empty.
    package var startsInIdentity: Bool
    /// Only the first address space is 1:1, every other one empty, where one starts in identity.
    var hasOneIdentity: Bool
    /// The device has no more than one group and one address space, whatever its kind has.
    package var hasOneAddressSpace: Bool
    /// Who refuses features without ACCESS_PLATFORM.
    package var accessPlatformCheck: AccessPlatformCheck
    /// What `get_driver_features` answers is what the driver has set, with bits that the device does not offer.
    package var remembersUnofferedFeatures: Bool
    /// The features that were set are in a register of the device, which a reset leaves as it is.
    package var keepsFeatureRegister: Bool
    /// Ring positions can be read, and set to anything.
    package var hasRingState: Bool
    /// A device that is suspended stays so, whatever status is set.
    package var staysSuspended: Bool
    /// A position that is set while the queue is ready moves its ring at once (`vdpasim_set_vq_state`).
    package var movesLiveRings: Bool
    /// A reset leaves the kicks that a suspended device has kept (`pending_kick` of vdpa_sim, before 7.3).
    package var keepsKicksOverReset: Bool
    /// The largest ring that the parent admits, whatever the device could; `nil` for the device's own.
    package var largestQueue: UInt16?
    /// A suspend disables the control queue, and a resume leaves it so.
    package var losesControlQueue: Bool
    /// The configuration space cannot be written.
    package var hasFixedConfiguration: Bool
    /// A reset forgets the ring sizes, too.
    package var resetForgetsQueueSizes: Bool
    /// Whoever serves the device takes a ring when it starts it; the others when the driver enables the queue.
    package var takesRingsAtStart: Bool
    /// The backend features the parent declares itself.
    package var declaredBackendFeatures: BackendFeatures
    /// See ``ParentDescription/doorbellStride``.
    package var doorbellStride: Int?
    package var fault: SimulatedFault?
}

/// Where features that lack ACCESS_PLATFORM meet an objection: a device that translates needs a driver that knows.
package enum AccessPlatformCheck: Hashable, Sendable {
    /// Nowhere.
    case none
    /// SET_FEATURES is EINVAL (`vdpasim_set_driver_features`).
    case settingFeatures
    /// The device does not take a status with FEATURES_OK, and nobody says so (virtio 1.2, section 3.1.1): what QEMU's
    /// devices do behind vp_vdpa.
    case settingFeaturesOK
}

extension ParentBehaviour {
    /// The behaviour a specification asks for.
    package init(_ specification: SimulatedDeviceSpecification) {
        let (parent, kernel) = (specification.parent, specification.kernel)
        let isSoftware = parent == .setMap || parent == .dmaMap
        self.init(
            kernel: kernel, mapOperation: parent.mapOperation,
            operations: Self.operations(of: parent, kernel),
            hasResetMap: specification.hasResetMap, hasCompatReset: specification.hasCompatReset,
            wipesOnReset: specification.wipesOnReset,
            usesVirtualAddresses: specification.usesVirtualAddresses,
            // VDUSE keeps the user's table in a vhost_iotlb without a limit; the platform has page tables.
            entryLimit: isSoftware ? specification.entryLimit : nil,
            // VDUSE's kernel addresses go through bounce pages, apart from the user's table.
            startsInIdentity: parent != .vduse && kernel.startsInIdentity,
            // mlx5_vdpa_reset_mr makes the 1:1 table for address space 0 alone.
            hasOneIdentity: parent == .mlx5,
            hasOneAddressSpace: !isSoftware && parent != .vendor && parent != .mlx5,
            accessPlatformCheck: Self.accessPlatformCheck(of: parent),
            // A register of the device and VDUSE's own word, of which nobody takes bits away
            // (`vp_modern_get_driver_features`, `vduse_vdpa_set_driver_features`).
            remembersUnofferedFeatures: parent == .vpVDPA || parent == .vduse,
            // `guest_features` of QEMU's virtio-pci, hw/virtio/virtio-pci.c.
            keepsFeatureRegister: parent == .vpVDPA,
            hasRingState: parent != .vpVDPA,
            // VDUSE 7.3: kicks are dropped and interrupts refused until the next reset (drivers/vdpa/vdpa_user). mlx5
            // acts on a status where DRIVER_OK changes (mlx5_vdpa_set_status), until a resume.
            staysSuspended: parent == .vduse || parent == .mlx5,
            movesLiveRings: isSoftware,
            keepsKicksOverReset: kernel.simulatorKeepsKicksOverReset,
            // VP_VDPA_QUEUE_MAX, which is also how many QEMU's network device has by default.
            largestQueue: parent == .vpVDPA ? 256 : nil,
            losesControlQueue: parent == .mlx5,  // mlx5_vdpa_cvq_suspend
            hasFixedConfiguration: parent == .mlx5,  // mlx5_vdpa_set_config
            resetForgetsQueueSizes: parent == .vpVDPA || parent == .vduse,
            // `vduse_vdpa_set_vq_ready` tells nobody.
            takesRingsAtStart: parent == .vduse,
            declaredBackendFeatures: Self.declaredFeatures(of: parent, kernel),
            doorbellStride: Self.doorbellStride(of: parent),
            fault: specification.fault)
    }

    private static func operations(
        of parent: SimulatedParentKind, _ kernel: KernelVersion
    ) -> ParentOperations {
        var operations: ParentOperations = []
        if parent.canSuspend(under: kernel) { operations.insert(.suspend) }
        if parent.canResume(under: kernel) { operations.insert(.resume) }
        switch parent {
        case .setMap: operations.formUnion([.queueGroup, .setGroupAddressSpace])
        // vdpa_sim has get_vq_size among its dma_map operations only.
        case .dmaMap, .vendor:
            operations.formUnion([.queueGroup, .setGroupAddressSpace, .queueSize])
        case .mlx5: operations.formUnion([.queueGroup, .descriptorGroup, .setGroupAddressSpace])
        case .vpVDPA, .vduse: operations.insert(.queueSize)
        // pds and ifcvf say that every queue is in group 0; octeon_ep does not answer.
        case .stateful: operations.insert(.queueGroup)
        case .platform: break
        }
        return operations
    }

    private static func doorbellStride(of parent: SimulatedParentKind) -> Int? {
        switch parent {
        // The notify multiplier of QEMU's virtio-pci, which vp_vdpa drives (`vp_vdpa_get_vq_notification`).
        case .vpVDPA: 4
        // pds and ifcvf give each queue what their device's notify multiplier says, where that is not 0; octeon_ep a page
        // (`pds_vdpa_get_vq_notification`, `ifcvf_get_vq_notification`, `octep_get_vq_notification`).
        case .stateful: HostPage.byteCount
        // The same page of the card for every data queue (mlx5_get_vq_notification).
        case .mlx5: 0
        case .platform, .dmaMap, .setMap, .vendor, .vduse: nil
        }
    }

    private static func accessPlatformCheck(of parent: SimulatedParentKind) -> AccessPlatformCheck {
        switch parent {
        case .vpVDPA: .settingFeaturesOK
        case .vduse: .none
        case .setMap, .dmaMap, .mlx5, .platform, .stateful, .vendor: .settingFeatures
        }
    }

    private static func declaredFeatures(
        of parent: SimulatedParentKind, _ kernel: KernelVersion
    ) -> BackendFeatures {
        switch parent {
        case .setMap, .dmaMap, .mlx5: kernel == .v6_1 ? [] : .enableAfterDriverOK
        case .vendor: [.enableAfterDriverOK, .iotlbPersist]
        case .platform, .stateful, .vduse, .vpVDPA: []
        }
    }

    /// What the parent tells vhost-vdpa about itself.
    func description(of kind: any DeviceKind) -> ParentDescription {
        var operations = operations
        if hasResetMap { operations.insert(.resetMap) }
        if hasCompatReset { operations.insert(.compatReset) }
        return ParentDescription(
            deviceID: kind.deviceID, queueCount: kind.queues.count,
            maximumQueueSize: min(kind.maximumQueueSize, largestQueue ?? .max),
            configurationSize: kind.configurationByteCount, mapOperation: mapOperation,
            operations: operations,
            usesVirtualAddresses: usesVirtualAddresses,
            iovaRange: mapOperation == .platform ? PlatformIOMMU.aperture : nil,
            groupCount: hasOneAddressSpace ? 1 : kind.groupCount,
            addressSpaceCount: hasOneAddressSpace ? 1 : kind.addressSpaceCount,
            doorbellStride: doorbellStride, declaredBackendFeatures: declaredBackendFeatures)
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
