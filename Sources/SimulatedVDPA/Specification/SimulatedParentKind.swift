package import VhostVDPA

/// The kind of parent driver a simulated device has, by the name the specification uses.
public enum SimulatedParentKind: String, CaseIterable, Sendable {
    /// No map operations: vhost-vdpa maps through the platform's IOMMU. SUSPEND and RESUME as SolidRun's
    /// parent has them.
    case platform
    /// pds, ifcvf and octeon_ep: behind the platform's IOMMU, with ring state to give and take, and no SUSPEND.
    case stateful
    /// An on-chip IOMMU that takes one entry at a time.
    case dmaMap = "dma-map"
    /// An on-chip IOMMU that takes the whole table.
    case setMap = "set-map"
    /// mlx5: an on-chip IOMMU that takes the whole table, groups for the data queues, their descriptors and a control
    /// queue.
    case mlx5
    /// A vendor's IOMMU that declares persistence itself: `dma_map`, no `reset_map`, a `reset` that keeps maps.
    case vendor
    /// VDUSE: `set_map` without `reset_map`, virtual addresses, a `reset` that keeps the user's maps. From 7.3 it can
    /// be suspended, and not resumed.
    case vduse
    /// vp_vdpa: behind the platform's IOMMU, and no ring state to give or take.
    case vpVDPA = "vp-vdpa"
}

extension SimulatedParentKind {
    /// `reset-map=`, `compat-reset=` and `wipe-on-reset=` are free: the other kinds stand for drivers that have
    /// settled them.
    var choosesResetOperations: Bool { self == .dmaMap || self == .setMap || self == .mlx5 }

    /// How the parent takes mappings.
    package var mapOperation: MapOperation {
        switch self {
        case .platform, .stateful, .vpVDPA: .platform
        case .dmaMap, .vendor: .dmaMap
        case .setMap, .mlx5, .vduse: .setMap
        }
    }

    /// `suspend` exists in that kernel.
    package func canSuspend(under kernel: KernelVersion) -> Bool {
        switch self {
        case .platform, .dmaMap, .setMap, .mlx5, .vendor: true
        case .vduse: kernel.vduseSuspends
        case .stateful, .vpVDPA: false
        }
    }

    /// `resume` exists in that kernel: whoever can suspend can resume, apart from VDUSE.
    func canResume(under kernel: KernelVersion) -> Bool {
        self != .vduse && canSuspend(under: kernel) && kernel.hasResume
    }

    /// Only the two software devices take virtual addresses: vdpa_sim, which the map kinds play, and VDUSE.
    var usesVirtualAddressesByDefault: Bool {
        switch self {
        case .dmaMap, .setMap, .vduse: true
        case .platform, .stateful, .mlx5, .vendor, .vpVDPA: false
        }
    }
}
