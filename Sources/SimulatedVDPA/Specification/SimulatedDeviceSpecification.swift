/// Which simulated device: `sim[,key=value]…` as `docs/` and `emu --device` spell it.
///
/// The initialiser fills in the defaults of the kernel and refuses what cannot exist, so a value of this type
/// is always a device that can be made. ``description`` is the canonical text, and parses to an equal value.
public struct SimulatedDeviceSpecification: Hashable, Sendable {
    /// The kernel whose rules the device follows.
    public let kernel: KernelVersion
    /// Which network card it is.
    public let profile: SimulatedDeviceProfile
    /// The kind of its parent driver.
    public let parent: SimulatedParentKind
    /// The parent has `.reset_map`, so IOTLB_PERSIST is offered.
    public let hasResetMap: Bool
    /// The parent has `.compat_reset`: a reset drops the maps unless PERSIST is acknowledged.
    public let hasCompatReset: Bool
    /// The parent's `.reset` drops the maps.
    public let wipesOnReset: Bool
    /// Maps name virtual addresses; otherwise pages are pinned, within RLIMIT_MEMLOCK.
    public let usesVirtualAddresses: Bool
    /// The number of queue pairs.
    public let queuePairs: Int
    /// The most entries of an address space; `nil` where the kernel does not count them.
    public let entryLimit: Int?
    /// The length of a physically contiguous run in bytes, where pages are pinned; `nil` for unbroken memory.
    public let fragment: Int?
    /// The limit of pinned memory; `nil` for this process's RLIMIT_MEMLOCK, as the kernel takes it.
    public let memlock: MemlockLimit?
    /// What is wrong with the device; `nil` for a healthy one.
    public let fault: SimulatedFault?

    /// A healthy device of Linux 6.12 with one queue pair, whose maps are virtual addresses: `sim`.
    public static let standard: SimulatedDeviceSpecification = {
        do throws(SimulatedDeviceSpecificationError) {
            return try SimulatedDeviceSpecification()
        } catch {
            preconditionFailure("the defaults fit each other: \(error)")
        }
    }()

    /// The entry limit of the kernels that have one (`max_iotlb_entries`).
    public static let defaultEntryLimit = 2048
    /// The most queue pairs a device may have.
    public static let maximumQueuePairs = 64

    /// Makes a specification; `nil` takes the default of the kernel, and the parent that the profile stands behind.
    public init(
        kernel: KernelVersion = .v6_12, parent: SimulatedParentKind? = nil, resetMap: Bool? = nil,
        compatReset: Bool? = nil, wipeOnReset: Bool? = nil, useVirtualAddresses: Bool? = nil,
        queuePairs: Int = 1, entryLimit: Int? = nil, fragment: Int? = nil, memlock: MemlockLimit? = nil,
        fault: SimulatedFault? = nil, profile: SimulatedDeviceProfile = .standard
    ) throws(SimulatedDeviceSpecificationError) {
        let parent = parent ?? profile.standardParent
        self.kernel = kernel
        self.parent = parent
        self.profile = profile
        let chosen = parent.choosesResetOperations && kernel.hasResetMap
        hasResetMap = resetMap ?? chosen
        hasCompatReset = compatReset ?? chosen
        wipesOnReset = wipeOnReset ?? (parent.choosesResetOperations && !kernel.hasResetMap)
        usesVirtualAddresses =
            useVirtualAddresses
            ?? (parent.usesVirtualAddressesByDefault
                && (profile == .standard || kernel.simulatorTakesVirtualAddresses))
        self.queuePairs = queuePairs
        self.entryLimit = entryLimit ?? (kernel.enforcesEntryLimit ? Self.defaultEntryLimit : nil)
        self.fragment = fragment
        self.memlock = memlock
        self.fault = fault
        try validate(givenEntryLimit: entryLimit)
    }
}

extension SimulatedDeviceSpecification: CustomStringConvertible {
    /// The canonical text, every choice spelled out.
    public var description: String {
        func word(_ value: Bool) -> String { value ? "on" : "off" }
        var parts = [
            "sim", "kernel=\(kernel.rawValue)", "parent=\(parent.rawValue)", "reset-map=\(word(hasResetMap))",
            "compat-reset=\(word(hasCompatReset))", "wipe-on-reset=\(word(wipesOnReset))",
            "use-va=\(word(usesVirtualAddresses))", "queues=\(queuePairs)",
        ]
        if let entryLimit { parts.append("entries=\(entryLimit)") }
        if let fragment { parts.append("fragment=\(fragment)") }
        if let memlock { parts.append("memlock=\(memlock)") }
        if let fault { parts.append("fault=\(fault.rawValue)") }
        if profile != .standard { parts.append("profile=\(profile.rawValue)") }
        return parts.joined(separator: ",")
    }
}
