/// A comparison of two runs as people read it: what ran, both side by side, and what that shows.
struct ComparisonSummary {
    private let comparison: RunComparison
    private let isLost: Bool

    /// The summary of `comparison`, whose JSON object could not be written where `isLost`.
    init(_ comparison: RunComparison, isLost: Bool = false) {
        self.comparison = comparison
        self.isLost = isLost
    }

    /// The summary, without a line break at its end.
    var text: String {
        ["emu run --compare: \(RunSummary.title(comparison.kept))", "", table, ""].joined(separator: "\n")
            + "\n" + (remarks + [conclusion]).joined(separator: "\n")
    }

    /// The comparison's own, which is nothing to rely on where nobody gets the comparison.
    private var conclusion: String {
        isLost ? "WRONG: the result is lost; it was \(comparison.conclusion)" : comparison.conclusion
    }

    private var remarks: [String] {
        let named = comparison.runs.flatMap { name, report in report.remarks.map { "\(name): \($0)" } }
        return named + (pinsNothing ? [Self.pinlessRemark] : [])
    }

    /// What keeps the times of such a device from being a real one's.
    static let pinlessRemark =
        "This simulated device pins no pages: these times are mostly the waking of threads.\n"
        + "A device that pins pays for every page it maps again."

    /// Whether the times are those of a simulated device that pins nothing; only a simulated one has a wire of ours.
    private var pinsNothing: Bool {
        comparison.ratio != nil && comparison.kept.setup.wire != nil
            && comparison.runs.allSatisfy { $0.report.resources.pinned?.last == 0 }
    }

    // MARK: The table

    private var table: String {
        let runs = comparison.runs
        let head = ["IOTLB_PERSIST"] + runs.map(\.name)
        let rows = Self.rows.compactMap { row -> [String]? in
            let values = runs.map { row.value($0.report) }
            guard values.contains(where: { $0 != nil }) else { return nil }
            return [row.title] + values.map { $0 ?? "-" }
        }
        return TextTable([head] + rows, leading: [0]).text
    }

    private typealias Row = (title: String, value: @Sendable (RunReport) -> String?)

    /// What is shown of each run; `nil` is what a run has none of: without a stop no times, p99 of fewer than 100.
    private static let rows: [Row] = [
        ("packets sent", { NumberText.grouped($0.packets.sent) }),
        ("packets received", { NumberText.grouped($0.packets.received) }),
        ("lost", { NumberText.grouped($0.packets.lost) }),
        ("duplicated", { NumberText.grouped($0.packets.duplicated) }),
        ("corrupted", { NumberText.grouped($0.packets.corrupted) }),
        ("abandoned", { NumberText.grouped($0.packets.abandoned) }),
        ("dropped by the device", { NumberText.grouped($0.packets.deviceDrops) }),
        ("DMA faults", { NumberText.grouped($0.faults) }),
        ("packets per second", { NumberText.short($0.throughput) }),
        ("stops and starts", { NumberText.grouped($0.cycles) }),
        ("updates per cycle", { $0.cycles == 0 ? nil : NumberText.short($0.iotlb.perCycle.updates) }),
        ("invalidates per cycle", { $0.cycles == 0 ? nil : NumberText.short($0.iotlb.perCycle.invalidates) }),
        ("stop and start, p50", { ($0.cycleTime?.p50).map(NumberText.time(microseconds:)) }),
        ("stop and start, p99", { ($0.cycleTime?.p99).map(NumberText.time(microseconds:)) }),
        ("stop and start, longest", { ($0.cycleTime?.max).map(NumberText.time(microseconds:)) }),
    ]
}
