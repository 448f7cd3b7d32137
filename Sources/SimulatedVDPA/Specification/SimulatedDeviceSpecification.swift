/// Which simulated device: `sim[,key=value]…` as `docs/` and `emu --device` spell it.
///
/// The initialiser fills in the defaults of the kernel and refuses what cannot exist, so a value of this type
/// is always a device that can be made. ``description`` is the canonical text, and parses to an equal value.
public struct SimulatedDeviceSpecification: Hashable, Sendable {
    /// The kernel whose rules the device follows.
    public let kernel: KernelVersion
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

    /// The entry limit of the kernels that have one (`max_iotlb_entries`).
    public static let defaultEntryLimit = 2048
    /// The most queue pairs a device may have.
    public static let maximumQueuePairs = 64

    /// Makes a specification; `nil` takes the default of the kernel.
    public init(
        kernel: KernelVersion = .v6_12, parent: SimulatedParentKind = .setMap, resetMap: Bool? = nil,
        compatReset: Bool? = nil, wipeOnReset: Bool? = nil, useVirtualAddresses: Bool? = nil,
        queuePairs: Int = 1, entryLimit: Int? = nil, fragment: Int? = nil
    ) throws(SimulatedDeviceSpecificationError) {
        self.kernel = kernel
        self.parent = parent
        hasResetMap = resetMap ?? kernel.hasResetMap
        hasCompatReset = compatReset ?? kernel.hasResetMap
        wipesOnReset = wipeOnReset ?? !kernel.hasResetMap
        usesVirtualAddresses = useVirtualAddresses ?? true
        self.queuePairs = queuePairs
        self.entryLimit = entryLimit ?? (kernel.enforcesEntryLimit ? Self.defaultEntryLimit : nil)
        self.fragment = fragment
        try validate(givenEntryLimit: entryLimit)
    }

    private func validate(givenEntryLimit: Int?) throws(SimulatedDeviceSpecificationError) {
        switch parent {
        case .setMap, .dmaMap: break
        case .platform, .vendor:
            throw SimulatedDeviceSpecificationError(
                .notYet,
                "parent=\(parent.rawValue) is not simulated yet; use parent=set-map or parent=dma-map")
        }
        if hasResetMap, !kernel.hasResetMap {
            throw SimulatedDeviceSpecificationError(
                .contradiction,
                "reset-map=on cannot be with kernel=\(kernel.rawValue): .reset_map came with Linux 6.7; "
                    + "leave it out or take kernel=6.12")
        }
        if hasCompatReset, !kernel.hasResetMap {
            throw SimulatedDeviceSpecificationError(
                .contradiction,
                "compat-reset=on cannot be with kernel=\(kernel.rawValue): .compat_reset came with Linux 6.7; "
                    + "leave it out or take kernel=6.12")
        }
        if wipesOnReset, hasResetMap {
            throw SimulatedDeviceSpecificationError(
                .contradiction,
                "wipe-on-reset=on cannot be with reset-map=on: such a parent promises to keep its maps over a "
                    + "reset; add reset-map=off")
        }
        if fragment != nil, usesVirtualAddresses {
            throw SimulatedDeviceSpecificationError(
                .contradiction,
                "fragment= cannot be with use-va=on: only pinned pages have physical runs; add use-va=off")
        }
        if givenEntryLimit != nil, !kernel.enforcesEntryLimit {
            throw SimulatedDeviceSpecificationError(
                .contradiction,
                "entries= cannot be with kernel=\(kernel.rawValue): that kernel does not count entries; "
                    + "leave it out or take kernel=6.12")
        }
        guard (1...Self.maximumQueuePairs).contains(queuePairs) else {
            throw SimulatedDeviceSpecificationError(
                .invalidValue, "queues=\(queuePairs): a device has 1 to \(Self.maximumQueuePairs) queue pairs"
            )
        }
        if let givenEntryLimit, givenEntryLimit < 1 {
            throw SimulatedDeviceSpecificationError(
                .invalidValue, "entries=\(givenEntryLimit): at least one entry is needed")
        }
        if let fragment, fragment <= 0 || fragment % PageSize.current != 0 {
            throw SimulatedDeviceSpecificationError(
                .invalidValue,
                "fragment=\(fragment): must be a multiple of the page size, \(PageSize.current) bytes")
        }
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
        return parts.joined(separator: ",")
    }
}
