internal import Glibc

/// Two kinds of times in one series: a median of both together is the time of neither.
package struct TwoModes: Codable, Hashable, Sendable {
    /// The median of each kind, in microseconds.
    package let quick: Double
    package let slow: Double
    /// The part of all samples that is slow, above 0 and below 1.
    package let slowShare: Double

    /// From how many samples on two kinds can be told from chance.
    static let leastSamples = 20
    /// The part of the samples that makes a kind; fewer are outliers.
    static let leastShare = 0.1
    /// How far the medians are apart: a difference of less misleads nobody.
    static let leastRatio = 1.25
    /// How many standard deviations lie between the means of the logarithms. The halves of one normal distribution are
    /// 2.7 apart and those of a uniform one 3.5 (Ashman's D).
    static let leastDistance = 4.5

    /// The two kinds of `samples`; `nil` where they are one. The cut is where the variance between the kinds is largest
    /// (Otsu's method on logarithms). O(n log n).
    package init?(_ samples: Samples) {
        let sorted = samples.values.filter { $0 > 0 }.sorted()
        let logs = sorted.map { log(Double($0)) }
        guard logs.count >= Self.leastSamples, let cut = Self.cut(logs) else { return nil }
        let (low, high) = (logs[..<cut], logs[cut...])
        let share = Double(high.count) / Double(logs.count)
        guard share >= Self.leastShare, share <= 1 - Self.leastShare else { return nil }
        let (first, second) = (Self.moments(low), Self.moments(high))
        let deviation = ((first.variance + second.variance) / 2).squareRoot()
        guard second.mean - first.mean > Self.leastDistance * deviation else { return nil }
        quick = Double(sorted[cut / 2]) / 1000
        slow = Double(sorted[(cut + sorted.count) / 2]) / 1000
        slowShare = share
        guard slow >= Self.leastRatio * quick else { return nil }
    }

    /// Where the variance between what is below and above is largest; `nil` where all are alike.
    private static func cut(_ logs: [Double]) -> Int? {
        let total = logs.reduce(0, +)
        let count = Double(logs.count)
        var (best, place): (Double, Int?) = (0, nil)
        var sum = 0.0
        for index in 1..<logs.count {
            sum += logs[index - 1]
            let (below, above) = (Double(index), count - Double(index))
            let distance = sum / below - (total - sum) / above
            let between = below * above * distance * distance
            if between > best { (best, place) = (between, index) }
        }
        return place
    }

    private static func moments(_ logs: ArraySlice<Double>) -> (mean: Double, variance: Double) {
        let mean = logs.reduce(0, +) / Double(logs.count)
        return (mean, logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(logs.count))
    }
}
