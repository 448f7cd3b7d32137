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
    package var series: [CycleSeries] = []
    package var skips: [Skip] = []
    /// One for each size that the device pinned.
    package var firstMaps: [FirstMap] = []
    /// What was wrong with the device, in words; empty where nothing was.
    package var problems: [String] = []
}
