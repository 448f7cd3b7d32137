/// A benchmark's results beside a baseline's, as `emu cycle --json` prints them. Times are in microseconds.
package struct BaselineComparison: Codable, Equatable, Sendable {
    /// One strategy with one size of memory, in both.
    package struct Pair: Codable, Equatable, Sendable {
        package var strategy: CycleStrategy
        package var memoryBytes: UInt64
        package var pageKind: String
        /// The medians.
        package var before: Double
        package var now: Double
        /// How many times as long as before.
        package var ratio: Double
        /// Whether the middle halves of both lie apart; `nil` where one of them has none.
        package var isApart: Bool?
    }

    /// The file with the baseline, and what it says of itself: `nil` of another program's results.
    package var file: String
    package var version: String?
    package var date: String?
    package var kernel: String?
    package var pairs: [Pair]
    /// What stands in the way of comparing, in words: another device, kernel or clock, a baseline that ended early or had
    /// something wrong, and results that one alone has.
    package var notComparable: [String]

    /// Puts `results`, of `machine`, beside `baseline`.
    init(_ results: [CycleReport.Result], on machine: HostFacts, beside baseline: Baseline) {
        file = baseline.file
        version = baseline.origin?.version
        date = baseline.origin?.date
        kernel = baseline.origin?.machine.kernel
        var pairs: [Pair] = []
        var words = baseline.origin.map { Self.differences($0, results, machine) } ?? []
        var isUsed = baseline.entries.map { _ in false }
        for result in results {
            guard let index = baseline.entries.firstIndex(where: { $0.matches(result) }) else {
                words.append("\(Self.name(result)): not in the baseline")
                continue
            }
            isUsed[index] = true
            pairs.append(Pair(result, baseline.entries[index]))
        }
        for (entry, isUsed) in zip(baseline.entries, isUsed) where !isUsed {
            words.append("\(Self.name(entry)): in the baseline alone")
        }
        self.pairs = pairs
        notComparable = words
    }

    /// The baseline in words: its file, and what it says of itself.
    package var name: String {
        let facts = [version.map { "emu \($0)" }, date, kernel].compactMap(\.self)
        return file + (facts.isEmpty ? "" : " (\(facts.joined(separator: ", ")))")
    }

    /// What `result` is beside, where the baseline has the same.
    package func pair(of result: CycleReport.Result) -> Pair? {
        pairs.first { pair in
            pair.strategy == result.strategy && pair.memoryBytes == result.memoryBytes
                && pair.pageKind == result.pageKind
        }
    }

    /// What both machines do not have in common and times depend on, and what the baseline says against itself.
    private static func differences(
        _ origin: Baseline.Origin, _ results: [CycleReport.Result], _ machine: HostFacts
    ) -> [String] {
        let devices = Set(results.map(\.device))
        let facts = [
            ("device", list(origin.devices), list(devices)),
            ("kernel", origin.machine.kernel, machine.kernel),
            ("clock", origin.machine.clockSource, machine.clockSource),
            ("processor", origin.machine.processor, machine.processor),
        ]
        return facts.filter { $0.1 != $0.2 }.map { "another \($0.0): \($0.1) before, \($0.2) now" }
            + origin.problems.map { "something was wrong with the baseline: \($0)" }
            + (origin.interrupted ? ["the baseline ended early: it has what had been measured"] : [])
    }

    private static func list(_ names: Set<String>) -> String { names.sorted().joined(separator: " and ") }

    private static func name(_ result: CycleReport.Result) -> String {
        name(result.strategy, result.memoryBytes, Baseline.Shape(result))
    }

    private static func name(_ entry: Baseline.Entry) -> String {
        name(entry.strategy, entry.memoryBytes, entry.shape)
    }

    private static func name(_ strategy: CycleStrategy, _ memory: UInt64, _ shape: Baseline.Shape?) -> String
    {
        let words =
            shape.map { shape in
                ", \(shape.pageKind) pages, \(shape.regions) region\(shape.regions == 1 ? "" : "s"), \(shape.queuePairs)"
                    + " queue pair\(shape.queuePairs == 1 ? "" : "s")\(shape.modelled ? ", modelled" : "")"
            } ?? ""
        return "\(strategy.rawValue), \(FigureText.memory(memory))\(words)"
    }
}

extension Baseline.Entry {
    /// Whether it is of the same: of another program's results only strategy and size are known.
    fileprivate func matches(_ result: CycleReport.Result) -> Bool {
        strategy == result.strategy && memoryBytes == result.memoryBytes
            && (shape == nil || shape == Baseline.Shape(result))
    }
}

extension BaselineComparison.Pair {
    fileprivate init(_ result: CycleReport.Result, _ entry: Baseline.Entry) {
        strategy = result.strategy
        memoryBytes = result.memoryBytes
        pageKind = result.pageKind
        before = entry.p50
        now = result.cycle.p50
        ratio = now / before
        if let ours = result.cycle.middleHalf, let theirs = entry.middleHalf {
            isApart = !ours.overlaps(theirs)
        }
    }
}
