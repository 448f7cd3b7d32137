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
    /// Whether a size that the machine does not have is measured all the same, with memory that is never touched, and
    /// marked so. Only for a device that pins nothing, for which ``canModel`` is true.
    package var modelsMissingMemory = false
    /// The command line and the version of the program, for the report.
    package var command = ""
    package var version = ""
    /// Results that these are put beside.
    package var baseline: Baseline?
    /// How long frames may take that show that a device works.
    package var patience = Duration.seconds(5)

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

    /// Whether the device can map memory that is not there: a simulated one that pins nothing.
    package var canModel: Bool {
        guard case .simulated(let specification) = device else { return false }
        return specification.usesVirtualAddresses
    }
}
