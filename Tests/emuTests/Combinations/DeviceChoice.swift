/// A simulated device as somebody may ask for it: some keys with values, the others left out.
///
/// Independent of `SimulatedDeviceSpecification`, which it is held against: what a key means stands here as
/// docs/simulated-devices.md says it.
struct DeviceChoice: Hashable, CustomStringConvertible, Sendable {
    /// The keys, as `--device` spells them, in the order of the document.
    enum Key: String, CaseIterable, Sendable {
        case kernel, parent
        case resetMap = "reset-map"
        case compatReset = "compat-reset"
        case wipeOnReset = "wipe-on-reset"
        case useVA = "use-va"
        case queues, entries, fragment, memlock, profile, fault
    }

    private(set) var values: [Key: String]

    init(_ values: [Key: String] = [:]) { self.values = values }

    subscript(key: Key) -> String? {
        get { values[key] }
        set { values[key] = newValue }
    }

    /// The text for `--device`.
    var description: String {
        (["sim"] + Key.allCases.compactMap { key in values[key].map { "\(key.rawValue)=\($0)" } })
            .joined(separator: ",")
    }

    // MARK: What it is, defaults included

    var kernel: String { self[.kernel] ?? "6.12" }
    var parent: String { self[.parent] ?? (isQEMU ? "vp-vdpa" : "set-map") }
    var isSimulator: Bool { self[.profile] == "vdpasim-net" }
    var isQEMU: Bool { self[.profile] == "qemu-net" }
    var isBefore6_7: Bool { kernel == "6.1" }

    /// Whether the operations of a reset are free.
    var choosesReset: Bool { ["set-map", "dma-map", "mlx5"].contains(parent) }
    /// What vdpa_sim is.
    var isSoftware: Bool { parent == "set-map" || parent == "dma-map" }
    /// Behind the platform's IOMMU.
    var isOnPlatform: Bool { ["platform", "stateful", "vp-vdpa"].contains(parent) }
    var canSuspend: Bool {
        parent == "vduse" ? kernel == "7.3" : parent != "stateful" && parent != "vp-vdpa"
    }

    var hasResetMap: Bool { self[.resetMap].map { $0 == "on" } ?? (choosesReset && !isBefore6_7) }
    var offersPersist: Bool { !isBefore6_7 && (hasResetMap || isOnPlatform || parent == "vendor") }

    var usesVirtualAddresses: Bool {
        if let given = self[.useVA] { return given == "on" }
        return (isSoftware || parent == "vduse") && !(isSimulator && isBefore6_7)
    }

    /// The most entries of an address space; `nil` where the kernel does not count.
    var entryLimit: Int? { isBefore6_7 ? nil : self[.entries].flatMap { Int($0) } ?? 2048 }
}
