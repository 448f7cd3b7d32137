/// Exact percentiles of a set of samples.
enum Percentile {
    /// The smallest sample that at least `percent` of all samples do not exceed (nearest rank); `nil` of none.
    ///
    /// O(n log n); `percent` above 0, up to 100.
    static func nearestRank<Sample: Comparable>(_ percent: Int, of samples: [Sample]) -> Sample? {
        precondition((1...100).contains(percent), "a percentile is from 1 to 100")
        guard !samples.isEmpty else { return nil }
        let rank = (samples.count * percent + 99) / 100
        return samples.sorted()[rank - 1]
    }
}
