package import EmulatedMachine
package import GuestMemory
internal import SimulatedVDPA

/// What to measure.
package struct CyclePlan: Sendable {
    /// Where the device comes from, and its name in the report.
    package var device: DeviceSource
    package var deviceName: String
    /// The sizes of guest RAM, each measured with a machine of its own.
    package var memory: [ByteCount]
    /// The pages wanted for it.
    package var pages: PageKind
    package var strategies: [CycleStrategy]
    /// Whole cycles of each strategy and size.
    package var cycles: Int
    package var warmUp: Int
    /// How many regions the memory is mapped in; `nil` for what a PC has, six or seven.
    package var regions: Int?
    /// How many queue pairs the device is driven with.
    package var queuePairs = 1
    /// Whether the memory's pages lie apart in the machine's.
    package var isFragmented = false

    package init(
        device: DeviceSource, deviceName: String, memory: [ByteCount], pages: PageKind = .base,
        strategies: [CycleStrategy], cycles: Int, warmUp: Int = 2
    ) {
        self.device = device
        self.deviceName = deviceName
        self.memory = memory
        self.pages = pages
        self.strategies = strategies
        self.cycles = cycles
        self.warmUp = warmUp
    }

    /// Whether guest RAM stays untouched: a simulated device that pins nothing has a size on paper only.
    var isSparse: Bool {
        guard case .simulated(let specification) = device else { return false }
        return specification.usesVirtualAddresses
    }
}
