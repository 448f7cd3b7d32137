/// What is told of a series of times, in microseconds: no percentile that the samples do not carry.
package struct CycleTimes: Codable, Equatable, Sendable {
    package var p50: Double
    /// The middle half of the samples lies between these; `null` of fewer than four.
    package var p25: Double?
    package var p75: Double?
    /// `null` of fewer than a hundred samples, of which it would be the maximum.
    package var p99: Double?
    package var min: Double
    package var max: Double
    /// Two kinds of times; `null` where they are one.
    package var modes: TwoModes?

    /// `nil` of no samples.
    init?(_ samples: Samples) {
        guard let min = samples.minimum, let max = samples.maximum else { return nil }
        let ranks = samples.percentiles([25, 50, 75, 99])
        p50 = ranks[1]
        if samples.count >= Samples.leastForQuartiles { (p25, p75) = (ranks[0], ranks[2]) }
        if samples.count >= Samples.leastForP99 { p99 = ranks[3] }
        self.min = min
        self.max = max
        modes = TwoModes(samples)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(p50, forKey: .p50)
        // Present in every result, so that a reader of the schema finds them.
        try container.encode(p25, forKey: .p25)
        try container.encode(p75, forKey: .p75)
        try container.encode(p99, forKey: .p99)
        try container.encode(min, forKey: .min)
        try container.encode(max, forKey: .max)
        try container.encode(modes, forKey: .modes)
    }

    /// The farthest that is told: the 99th percentile, or the maximum of too few samples for one.
    package var farthest: Double { p99 ?? max }

    /// The same in words, below `head`: a maximum by that name.
    package func farthestText(below head: FarthestHead) -> String {
        (p99 == nil && head == .p99 ? "max " : "") + FigureText.time(farthest)
    }

    /// What stands over the farthest times of a table.
    package enum FarthestHead: String, Sendable {
        case p99 = "p99"
        /// No row has a 99th percentile.
        case maximum = "maximum"

        package init(_ times: [CycleTimes]) { self = times.contains { $0.p99 != nil } ? .p99 : .maximum }
    }

    /// The width of the middle half as a part of the median, as `6 %`; `–` of too few samples.
    package var spreadText: String {
        guard let p25, let p75, p50 > 0 else { return "–" }
        return "\(FigureText.short((p75 - p25) / p50 * 100)) %"
    }
}
