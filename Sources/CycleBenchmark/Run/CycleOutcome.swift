internal import GuestMemory

/// What a benchmark measured and what it left out.
package struct CycleOutcome: Sendable {
    /// Something that was asked for and not measured.
    package struct Skip: Codable, Hashable, Sendable {
        package let memoryBytes: UInt64
        /// `nil` for the whole size.
        package let strategy: CycleStrategy?
        package let reason: String
    }

    package let machine: HostFacts
    /// The load average of the minute before the benchmark.
    package let loadAverage: Double
    /// The command line and the version of the program, as the plan has them.
    package let command: String
    package let version: String
    /// When the benchmark began, as `2026-11-26 06:05 UTC`.
    package let date: String
    /// Only what has samples.
    package var series: [CycleSeries] = []
    package var skips: [Skip] = []
    /// One for each size that the device pinned.
    package var firstMaps: [FirstMap] = []
    /// What else the machine did, one for each size.
    package var loads: [MachineLoad] = []
    /// What was wrong with the device, in words; empty where nothing was.
    package var problems: [String] = []
    /// Why the benchmark ended before its end through no wish of anybody's; one of the problems, too.
    package private(set) var failure: String?
    /// Whether somebody asked the benchmark to end before its end.
    package var isInterrupted = false

    /// Nothing measured yet, on `machine`.
    package init(
        machine: HostFacts, command: String = "", version: String = "",
        date: String? = nil, loadAverage: Double? = nil
    ) {
        self.machine = machine
        self.command = command
        self.version = version
        self.date = date ?? UTCDate.now
        self.loadAverage = loadAverage ?? LoadMeter.loadAverage
    }

    /// Results that these are put beside.
    package var baseline: Baseline?

    /// What else to know before trusting a time.
    package var remarks: [String] = []

    /// Whether a device was started, so that what goes wrong is something that was found.
    package var hasBegun = false

    /// Nothing comes after this.
    mutating func breakOff(_ memory: ByteCount, _ reason: String) {
        problems.append("\(memory): \(reason)")
        failure = reason
    }

    /// The load while `memoryBytes` were measured.
    func load(_ memoryBytes: UInt64) -> MachineLoad? { loads.first { $0.memoryBytes == memoryBytes } }
}
