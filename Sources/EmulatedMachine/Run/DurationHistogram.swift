internal import Histogram

/// How long something took, any number of times, in memory that does not grow with their number.
///
/// Each duration counts to three digits: what comes out differs from what went in by a thousandth at the most. The
/// shortest and the longest are exact. Durations beyond ``longest`` count as that.
package struct DurationHistogram: Sendable {
    /// The longest duration that is told from longer ones: a little over an hour.
    package static let longest = Duration.nanoseconds(Int64(highest))
    private static let highest: UInt64 = 1 << 42

    private var nanoseconds = Histogram<UInt32>(
        highestTrackableValue: highest, numberOfSignificantValueDigits: .three)
    /// The shortest and the longest so far; `nil` of none.
    package private(set) var minimum: Duration?
    package private(set) var maximum: Duration?

    package init() {}

    /// How many there are.
    package var count: Int { Int(nanoseconds.totalCount) }

    /// Bytes that the counts take, whatever their number.
    package var byteCount: Int { nanoseconds.estimatedFootprintInBytes }

    /// Counts one more.
    package mutating func record(_ duration: Duration) {
        nanoseconds.record(min(Self.highest, duration.wholeNanoseconds))
        minimum = min(minimum ?? duration, duration)
        maximum = max(maximum ?? duration, duration)
    }

    /// The duration that at least `percent` of all do not exceed; `nil` of none.
    package func percentile(_ percent: Int) -> Duration? {
        precondition((1...100).contains(percent), "a percentile is from 1 to 100")
        guard let minimum, let maximum else { return nil }
        let rank = (UInt64(count) * UInt64(percent) + 99) / 100
        return value(ofRank: rank).map { max(minimum, min(maximum, $0)) }
    }

    /// The two groups that the durations fall into, where they do: a typical one of each, which a single percentile
    /// tells nothing of.
    ///
    /// Between two groups is a gap: no duration from one length to one half as long again, with a fifth of all below
    /// and a fifth above. Fewer than ``fewestForGroups`` show nothing.
    package var groups: (short: Duration, long: Duration)? {
        guard count >= Self.fewestForGroups else { return nil }
        var below: UInt64 = 0
        var widest: (ratio: Double, below: UInt64)?
        var last: UInt64?
        for step in nanoseconds.recordedValues() {
            if let last, last > 0, min(below, UInt64(count) - below) * 5 >= UInt64(count) {
                let ratio = Double(step.value) / Double(last)
                if ratio >= Self.gap, ratio > widest?.ratio ?? 0 { widest = (ratio, below) }
            }
            below += UInt64(step.count)
            last = step.value
        }
        guard let widest, let short = value(ofRank: widest.below / 2 + 1),
            let long = value(ofRank: (widest.below + UInt64(count)) / 2 + 1)
        else { return nil }
        return (short, long)
    }

    /// The fewest durations that can be said to fall into groups.
    package static let fewestForGroups = 20
    /// How much longer than the last of one group the first of the other is.
    private static let gap = 1.5

    private func value(ofRank rank: UInt64) -> Duration? {
        var seen: UInt64 = 0
        for step in nanoseconds.recordedValues() {
            seen += UInt64(step.count)
            if seen >= rank { return .nanoseconds(Int64(nanoseconds.medianEquivalentForValue(step.value))) }
        }
        return nil
    }
}

extension Duration {
    /// The duration in nanoseconds, none of a negative one and the most that there are of one too long.
    fileprivate var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (product, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product + UInt64(attoseconds) / 1_000_000_000
    }
}
