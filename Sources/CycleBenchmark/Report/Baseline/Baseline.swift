/// Results that a benchmark's are put beside: an earlier benchmark's, or another program's. Times are in microseconds.
package struct Baseline: Sendable {
    /// One median.
    struct Entry: Sendable {
        let strategy: CycleStrategy
        let memoryBytes: UInt64
        /// How the memory was mapped; another program does not say.
        let shape: Shape?
        let p50: Double
        /// The middle half of the times lies in it; `nil` of too few of them.
        let middleHalf: ClosedRange<Double>?
    }

    /// What has a say in a time beside the strategy and the size.
    struct Shape: Hashable, Sendable {
        let pageKind: String
        let regions: Int
        let queuePairs: Int
        let modelled: Bool
    }

    /// What an earlier benchmark says of itself.
    struct Origin: Sendable {
        let version: String
        let date: String
        let machine: HostFacts
        let devices: Set<String>
        /// Whether somebody ended it before its end.
        let interrupted: Bool
        /// What was wrong with the device.
        let problems: [String]
    }

    /// A result of another program, one object a line: the median of a strategy's cycles. Several of one strategy and
    /// memory are runs of it.
    package struct Line: Decodable, Sendable {
        package let strategy: CycleStrategy
        package let memoryBytes: UInt64
        package let p50: Double
    }

    /// Why results cannot be a baseline, in words that go after the file's name.
    package enum Refusal: Error, Hashable, CustomStringConvertible {
        case empty
        case impossible(CycleStrategy, Double)

        package var description: String {
            switch self {
            case .empty: "it holds no result; give what emu cycle --json printed"
            case .impossible(let strategy, let time):
                "\(strategy.rawValue) has a median of \(time) µs; give times above 0, in microseconds"
            }
        }
    }

    /// The file that it is from.
    let file: String
    /// `nil` of another program's results.
    let origin: Origin?
    let entries: [Entry]

    /// An earlier benchmark's, read from `file`.
    package init(_ report: CycleReport, file: String) throws(Refusal) {
        let entries = report.results.map { result in
            Entry(
                strategy: result.strategy, memoryBytes: result.memoryBytes, shape: Shape(result),
                p50: result.cycle.p50, middleHalf: result.cycle.middleHalf)
        }
        let origin = Origin(
            version: report.version, date: report.date, machine: report.machine,
            devices: Set(report.results.map(\.device)), interrupted: report.interrupted,
            problems: report.problems)
        try self.init(file: file, origin: origin, entries: entries)
    }

    /// Another program's, read from `file`: of several runs the median.
    package init(_ lines: [Line], file: String) throws(Refusal) {
        for line in lines { try Self.check(line.strategy, line.p50) }
        struct Kind: Hashable {
            let strategy: CycleStrategy
            let memoryBytes: UInt64
        }
        var kinds: [Kind] = []
        var times: [Kind: [Double]] = [:]
        for line in lines {
            let kind = Kind(strategy: line.strategy, memoryBytes: line.memoryBytes)
            if times[kind] == nil { kinds.append(kind) }
            times[kind, default: []].append(line.p50)
        }
        let entries = kinds.map { kind in
            Entry(
                strategy: kind.strategy, memoryBytes: kind.memoryBytes, shape: nil,
                p50: Self.median(times[kind] ?? []), middleHalf: nil)
        }
        try self.init(file: file, origin: nil, entries: entries)
    }

    private init(file: String, origin: Origin?, entries: [Entry]) throws(Refusal) {
        guard !entries.isEmpty else { throw .empty }
        for entry in entries { try Self.check(entry.strategy, entry.p50) }
        self.file = file
        self.origin = origin
        self.entries = entries
    }

    /// The shortest time that is one, and the longest: an instruction counts as a nanosecond where instructions are
    /// counted, and 31 years are enough.
    private static let times = 0.001...1e15

    private static func check(_ strategy: CycleStrategy, _ time: Double) throws(Refusal) {
        guard times.contains(time) else { throw .impossible(strategy, time) }
    }

    /// The middle one; of an even number the mean of both.
    private static func median(_ times: [Double]) -> Double {
        let sorted = times.sorted()
        let half = sorted.count / 2
        return sorted.count.isMultiple(of: 2) ? (sorted[half - 1] + sorted[half]) / 2 : sorted[half]
    }
}

extension Baseline.Shape {
    init(_ result: CycleReport.Result) {
        pageKind = result.pageKind
        regions = result.regions
        queuePairs = result.queuePairs
        modelled = result.modelled
    }
}

extension CycleTimes {
    /// Where the middle half of the times lies; `nil` of too few.
    var middleHalf: ClosedRange<Double>? {
        guard let p25, let p75, p25 <= p75 else { return nil }
        return p25...p75
    }
}
