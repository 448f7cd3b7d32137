internal import SeededRandom

/// Times in nanoseconds, and what they say, in memory that does not grow without bound.
///
/// Up to ``limit`` every sample is kept, and percentiles are exact. Beyond, those kept are a uniform random choice of
/// all (Vitter's algorithm R), from numbers that are the same in every run; count, least and most stay exact.
package struct Samples: Hashable, Sendable {
    /// The most samples kept of a series whose values are reported one by one: half a megabyte.
    package static let standardLimit = 65_536
    /// From how many samples on a 99th percentile is another value than the maximum.
    package static let leastForP99 = 100
    /// From how many samples on quartiles, and with them a spread, say something.
    package static let leastForQuartiles = 4

    /// The samples kept: in the order in which they were taken while none is left out.
    package private(set) var values: [UInt64] = []
    /// How many have been taken.
    package private(set) var count = 0
    /// How many are kept at most.
    package let limit: Int
    private var least = UInt64.max
    private var most: UInt64 = 0
    private var random = SplitMix64(seed: 0)

    package init(_ values: [UInt64] = [], limit: Int = Samples.standardLimit) {
        precondition(limit > 0, "no sample can be kept")
        self.limit = limit
        for value in values { append(value) }
    }

    package mutating func append(_ value: UInt64) {
        count += 1
        least = min(least, value)
        most = max(most, value)
        guard values.count == limit else {
            values.append(value)
            return
        }
        // Each of the `count` samples has the same chance to be among those kept.
        let place = next(below: UInt64(count))
        if place < limit { values[Int(place)] = value }
    }

    package var isEmpty: Bool { count == 0 }
    /// Whether ``values`` are all that were taken, in their order.
    package var isComplete: Bool { values.count == count }

    /// The least and the most, in microseconds; `nil` of none.
    package var minimum: Double? { isEmpty ? nil : Double(least) / 1000 }
    package var maximum: Double? { isEmpty ? nil : Double(most) / 1000 }

    /// The smallest sample that at least `percent` of those kept do not exceed (nearest rank), in microseconds;
    /// `nil` of none. `percent` from 1 to 100. O(n log n).
    package func percentile(_ percent: Int) -> Double? { percentiles([percent]).first }

    /// The same of several, sorting once; empty of no samples.
    package func percentiles(_ percents: [Int]) -> [Double] {
        guard !values.isEmpty else { return [] }
        let sorted = values.sorted()
        return percents.map { percent in
            precondition((1...100).contains(percent), "a percentile is from 1 to 100")
            return Double(sorted[(sorted.count * percent + 99) / 100 - 1]) / 1000
        }
    }

    /// A random number reduced by multiplication: the bias is below 2⁻³².
    private mutating func next(below bound: UInt64) -> UInt64 {
        random.next().multipliedFullWidth(by: bound).high
    }
}
