/// A key of a simulated device's text form, with what a person has to know of it: the one table that the parser,
/// its messages and the command line's help are made of.
public enum SimulatedDeviceKey: String, CaseIterable, Sendable {
    /// The kernel whose rules hold.
    case kernel
    /// The kind of parent driver.
    case parent
    /// Whether the parent has `.reset_map`.
    case resetMap = "reset-map"
    /// Whether the parent has `.compat_reset`.
    case compatReset = "compat-reset"
    /// Whether `.reset` drops the maps.
    case wipeOnReset = "wipe-on-reset"
    /// Whether maps are virtual addresses.
    case useVA = "use-va"
    /// The number of queue pairs.
    case queues
    /// The most entries of an address space.
    case entries
    /// The length of a physically contiguous run.
    case fragment
    /// The limit of pinned memory.
    case memlock
    /// Which network card.
    case profile
    /// What is wrong with the device.
    case fault

    /// The values it takes, in words.
    public var values: String {
        switch self {
        case .kernel: Self.names(KernelVersion.self)
        case .parent: Self.names(SimulatedParentKind.self)
        case .resetMap, .compatReset, .wipeOnReset, .useVA: "on, off"
        case .queues: "1 to \(SimulatedDeviceSpecification.maximumQueuePairs)"
        case .entries: "a number above 0"
        case .fragment: "a size, whole pages"
        case .memlock: "a size, unlimited"
        case .profile: Self.names(SimulatedDeviceProfile.self)
        case .fault: Self.names(SimulatedFault.self)
        }
    }

    /// What a device has without it, in words.
    public var standard: String {
        switch self {
        case .kernel: KernelVersion.v6_12.rawValue
        case .parent: "set-map; vp-vdpa for qemu-net"
        case .resetMap, .compatReset: "on from 6.12"
        case .wipeOnReset: "on in 6.1"
        case .useVA: "on; off for platform, stateful, mlx5, vendor, vp-vdpa"
        case .queues: "1"
        case .entries: "\(SimulatedDeviceSpecification.defaultEntryLimit), none in 6.1"
        case .fragment: "unbroken"
        case .memlock: "RLIMIT_MEMLOCK"
        case .profile: SimulatedDeviceProfile.standard.rawValue
        case .fault: "none"
        }
    }

    /// What it says of the device.
    public var meaning: String {
        switch self {
        case .kernel: "whose rules vhost-vdpa and the parent follow"
        case .parent: "the kind of parent driver"
        case .resetMap: "the parent has .reset_map: IOTLB_PERSIST is offered"
        case .compatReset: "the parent has .compat_reset: a reset without PERSIST drops the maps"
        case .wipeOnReset: ".reset itself drops the maps"
        case .useVA: "maps are virtual addresses; off pins guest memory"
        case .queues: "queue pairs, a worker thread each"
        case .entries: "the most entries of an address space"
        case .fragment: "the length of a physically contiguous run, where memory is pinned"
        case .memlock: "the limit of pinned memory that the simulated kernel applies"
        case .profile:
            "which network card it is; vdpasim-net is the kernel's own simulator, qemu-net QEMU's card behind vp_vdpa"
        case .fault: "what is wrong with the device"
        }
    }

    private static func names<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type) -> String {
        Choice.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
