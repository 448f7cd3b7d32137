package import VhostVDPA

/// The kernel a simulated device plays, with what differs between the builds as named facts.
///
/// A fact is a property, so that a build that turns out to answer otherwise is mended in one place. The builds
/// are those that scripts/kernel-vm boots: 6.1.192, 6.12.117 and 7.3.4; 7.2 is read from source.
public enum KernelVersion: String, CaseIterable, Comparable, Sendable {
    /// Before `.reset_map`, IOTLB_PERSIST and RESUME (Linux 6.7 brought the first two).
    case v6_1 = "6.1"
    /// Debian's kernel: IOTLB_PERSIST, RESUME, ENABLE_AFTER_DRIVER_OK.
    case v6_12 = "6.12"
    /// Refuses address space changes after DRIVER_OK.
    case v7_2 = "7.2"
    /// Its vdpa_sim forgets the kicks of a suspended device with a reset.
    case v7_3 = "7.3"

    /// Orders kernels as they came out.
    public static func < (left: Self, right: Self) -> Bool { left.place < right.place }

    /// How many of the kernels came out before this one.
    private var place: Int {
        switch self {
        case .v6_1: 0
        case .v6_12: 1
        case .v7_2: 2
        case .v7_3: 3
        }
    }

    /// `.reset_map` and `.compat_reset` exist, and with them IOTLB_PERSIST (6.7).
    package var hasResetMap: Bool { self != .v6_1 }

    /// An on-chip IOMMU starts in identity and returns to it; before 6.7 it starts, and is wiped, empty.
    package var startsInIdentity: Bool { self != .v6_1 }

    /// SUSPEND's counterpart exists (6.3).
    package var hasResume: Bool { self != .v6_1 }

    /// `VHOST_VDPA_GET_VRING_DESC_GROUP` exists (6.7).
    package var hasDescriptorGroupRequest: Bool { self != .v6_1 }

    /// `VHOST_VDPA_GET_VRING_SIZE` exists (6.9).
    package var hasVringSizeRequest: Bool { self != .v6_1 }

    /// An address space refuses more than `max_iotlb_entries` entries (7.2, and 6.12.117 as run).
    package var enforcesEntryLimit: Bool { self != .v6_1 }

    /// `VHOST_SET_VRING_NUM` refuses more than the device's maximum (7.2, and 6.12.117 as run).
    package var refusesOversizedQueues: Bool { self != .v6_1 }

    /// `VHOST_SET_VRING_NUM` reads index and size before it looks at either (`vhost_vdpa_vring_ioctl`, 6.12.117).
    package var readsRingSizeWithIndex: Bool { self != .v6_1 }

    /// `VHOST_SET_FORK_FROM_OWNER` and its counterpart exist (`vhost_dev_ioctl`, 6.12.117).
    package var hasForkFromOwner: Bool { self != .v6_1 }

    /// A reset leaves what a suspended vdpa_sim has kept of kicks (`vdpasim_do_reset`).
    package var simulatorKeepsKicksOverReset: Bool { self < .v7_3 }

    /// A ring's addresses and base cannot change after DRIVER_OK unless suspended (6.12.117; 6.1.192 takes both).
    package var refusesRingChangeWhileRunning: Bool { self != .v6_1 }

    /// SUSPEND looks for the parent's operation before it looks at DRIVER_OK (6.1.192).
    package var checksSuspendOperationFirst: Bool { self == .v6_1 }

    /// `VHOST_VDPA_SET_GROUP_ASID` is EBUSY after DRIVER_OK.
    package var refusesGroupChangeAfterDriverOK: Bool { self >= .v7_2 }

    /// VDUSE can be suspended, where its process asks for it (`VDUSE_F_SUSPEND`, 7.3).
    package var vduseSuspends: Bool { self >= .v7_3 }

    /// vdpa_sim_net offers VIRTIO_NET_F_STATUS (6.12.117; 6.1.192 does not).
    package var simulatorHasLinkStatus: Bool { self != .v6_1 }

    /// vdpa_sim takes virtual addresses (`use_va`, 6.4).
    package var simulatorTakesVirtualAddresses: Bool { self != .v6_1 }

    /// The bits `VHOST_SET_BACKEND_FEATURES` lets through to the finer checks.
    package var knownBackendFeatures: BackendFeatures {
        let always: BackendFeatures = [.messageV2, .iotlbBatch, .iotlbASID, .suspend]
        return self == .v6_1
            ? always
            : always.union([.resume, .enableAfterDriverOK, .descriptorASID, .iotlbPersist])
    }
}
