/// Times in nanoseconds, and what they say. Percentiles are exact: every sample is kept.
package struct Samples: Hashable, Sendable {
    /// The samples in the order in which they were taken.
    package private(set) var values: [UInt64] = []

    package init(_ values: [UInt64] = []) { self.values = values }

    package mutating func append(_ value: UInt64) { values.append(value) }

    package var count: Int { values.count }

    /// The smallest sample that at least `percent` of all samples do not exceed (nearest rank), in microseconds;
    /// `nil` of none. `percent` from 1 to 100. O(n log n).
    package func percentile(_ percent: Int) -> Double? {
        precondition((1...100).contains(percent), "a percentile is from 1 to 100")
        guard !values.isEmpty else { return nil }
        let rank = (values.count * percent + 99) / 100
        return Double(values.sorted()[rank - 1]) / 1000
    }
}
