import Foundation
import GuestMemory
import Testing

@testable import CycleBenchmark

/// A benchmark's results beside an earlier one's, or another program's.
@Suite("A baseline")
struct BaselineTests {
    /// The fixed outcome with `scale` times as long cycles, of which there are enough for quartiles.
    private static func outcome(_ scale: UInt64 = 1, _ change: (inout CycleOutcome) -> Void = { _ in })
        -> CycleOutcome
    {
        var outcome = FixedOutcome.outcome
        let all: [[UInt64]] = [[700, 800, 800, 900], [18, 20, 20, 22]]
        for (index, times) in all.enumerated() {
            outcome.series[index].cycles = FixedOutcome.samples(times.map { $0 * scale })
        }
        change(&outcome)
        return outcome
    }

    private static func report(_ scale: UInt64 = 1, _ change: (inout CycleOutcome) -> Void = { _ in })
        -> CycleReport
    {
        CycleReport(outcome(scale, change))
    }

    /// What `report` says beside `baseline`.
    private static func compare(_ report: CycleReport, beside baseline: Baseline) -> BaselineComparison {
        BaselineComparison(report.results, on: report.machine, beside: baseline)
    }

    private static func lines(_ text: String) throws -> [Baseline.Line] {
        try JSONDecoder().decode([Baseline.Line].self, from: Data("[\(text)]".utf8))
    }

    @Test("beside itself: every ratio is 1, nothing is apart, and all can be compared")
    func itself() throws {
        let report = Self.report()
        let comparison = Self.compare(report, beside: try Baseline(report, file: "before.json"))
        #expect(comparison.file == "before.json" && comparison.version == "9.8.7")
        #expect(comparison.date == "2026-11-26 06:05 UTC" && comparison.kernel == "Linux 6.12")
        #expect(comparison.pairs.map(\.strategy) == [.remap, .persist])
        #expect(comparison.pairs.map(\.before) == [800, 20] && comparison.pairs.map(\.now) == [800, 20])
        #expect(comparison.pairs.map(\.ratio) == [1, 1])
        #expect(comparison.pairs.map(\.isApart) == [false, false])
        #expect(comparison.notComparable == [])
    }

    @Test("that took half as long: twice as long now, and apart")
    func doubled() throws {
        let comparison = Self.compare(Self.report(2), beside: try Baseline(Self.report(), file: "f"))
        #expect(comparison.pairs.map(\.ratio) == [2, 2])
        #expect(comparison.pairs.map(\.isApart) == [true, true])
        let back = Self.compare(Self.report(), beside: try Baseline(Self.report(2), file: "f"))
        #expect(back.pairs.map(\.ratio) == [0.5, 0.5] && back.pairs.map(\.isApart) == [true, true])
    }

    @Test("of too few cycles is neither apart nor within the spread")
    func few() throws {
        let few = CycleReport(FixedOutcome.outcome)
        #expect(
            Self.compare(Self.report(), beside: try Baseline(few, file: "f")).pairs.map(\.isApart) == [
                nil, nil,
            ])
        #expect(
            Self.compare(few, beside: try Baseline(Self.report(), file: "f")).pairs.map(\.isApart) == [
                nil, nil,
            ])
    }

    @Test("of another program: of several lines the median, of two the mean, whatever the shape")
    func lines() throws {
        let lines = try Self.lines(
            """
            {"strategy": "remap", "memoryBytes": 268435456, "runs": 44, "cycles": 10, "min": 1, "p50": 400.5, "p99": 9},
            {"strategy": "persist", "memoryBytes": 268435456, "p50": 30},
            {"strategy": "remap", "memoryBytes": 268435456, "p50": 399.5},
            {"strategy": "persist", "memoryBytes": 268435456, "p50": 5},
            {"strategy": "persist", "memoryBytes": 268435456, "p50": 10},
            {"strategy": "resume", "memoryBytes": 1073741824, "p50": 7}
            """)
        let comparison = Self.compare(Self.report(), beside: try Baseline(lines, file: "floor.jsonl"))
        #expect(comparison.pairs.map(\.before) == [400, 10] && comparison.pairs.map(\.ratio) == [2, 2])
        #expect(comparison.pairs.map(\.isApart) == [nil, nil])
        #expect(comparison.version == nil && comparison.date == nil && comparison.kernel == nil)
        #expect(comparison.notComparable == ["resume, 1 GiB: in the baseline alone"])
    }

    /// A change of the earlier benchmark, and what then stands in the way.
    struct Difference: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var words: [String]
        var pairs = 2
        var change: @Sendable (inout CycleOutcome) -> Void
    }

    private static func remap(
        _ memory: ByteCount = FixedOutcome.memory, pages: PageKind = .base, regions: Int = 6,
        queuePairs: Int = 3,
        device: String = "sim,use-va=off", isModelled: Bool = false
    ) -> CycleSeries {
        FixedOutcome.series(
            .remap,
            CycleSetup(
                device: device, memory: memory, pages: pages, isPinned: true, regions: regions,
                queuePairs: queuePairs, contiguousRuns: 1234, isModelled: isModelled))
    }

    private static let other = "remap, 256 MiB, base pages, 6 regions, 3 queue pairs: not in the baseline"

    @Test(
        "of something else names what is not in both",
        arguments: [
            Difference(testDescription: "size", words: [other, "remap, 1 GiB, base pages"], pairs: 1) {
                $0.series[0] = remap(.gibibytes(1))
            },
            Difference(
                testDescription: "pages", words: [other, "explicit pages, 6 regions, 3 queue pairs: in"],
                pairs: 1
            ) {
                $0.series[0] = remap(pages: .explicit)
            },
            Difference(
                testDescription: "regions", words: [other, "base pages, 1 region, 3 queue pairs: in"],
                pairs: 1
            ) {
                $0.series[0] = remap(regions: 1)
            },
            Difference(testDescription: "queues", words: [other, "6 regions, 1 queue pair: in"], pairs: 1) {
                $0.series[0] = remap(queuePairs: 1)
            },
            Difference(testDescription: "modelled", words: [other, "3 queue pairs, modelled: in"], pairs: 1) {
                $0.series[0] = remap(isModelled: true)
            },
            Difference(testDescription: "strategy", words: [other], pairs: 1) { $0.series.removeFirst() },
            Difference(
                testDescription: "device",
                words: ["another device: sim,use-va=off and vdpa before, sim,use-va=off now"]
            ) { $0.series[0] = remap(device: "vdpa") },
        ])
    func differences(difference: Difference) throws {
        let before = Self.report(1, difference.change)
        let comparison = Self.compare(Self.report(), beside: try Baseline(before, file: "f"))
        #expect(comparison.pairs.count == difference.pairs)
        for words in difference.words {
            #expect(comparison.notComparable.contains { $0.contains(words) }, "\(comparison.notComparable)")
        }
    }

    @Test(
        "that ended early, or with something wrong, says so: its times are beside the new ones all the same")
    func doubtful() throws {
        let before = Self.report(1) {
            $0.problems = ["256 MiB: the device went away"]
            $0.isInterrupted = true
        }
        let comparison = Self.compare(Self.report(), beside: try Baseline(before, file: "f"))
        #expect(
            comparison.notComparable == [
                "something was wrong with the baseline: 256 MiB: the device went away",
                "the baseline ended early: it has what had been measured",
            ])
        #expect(comparison.pairs.map(\.ratio) == [1, 1])
    }

    @Test("of another machine says what differs")
    func machine() throws {
        var before = Self.report()
        before.machine = HostFacts(
            kernel: "Linux 6.1", processor: "Other", processors: 2, memoryBytes: 1 << 34, clockSource: "hpet")
        #expect(
            Self.compare(Self.report(), beside: try Baseline(before, file: "f")).notComparable == [
                "another kernel: Linux 6.1 before, Linux 6.12 now", "another clock: hpet before, tsc now",
                "another processor: Other before, Test now",
            ])
    }

    @Test(
        "without a result, or with a time that is none, is refused",
        arguments: ["0", "-1", "0.0001", "1e300"])
    func refused(time: String) throws {
        #expect(throws: Baseline.Refusal.empty) { try Baseline([], file: "f") }
        #expect(throws: Baseline.Refusal.empty) {
            try Baseline(Self.report(1) { $0.series = [] }, file: "f")
        }
        let lines = try Self.lines("{\"strategy\": \"remap\", \"memoryBytes\": 1, \"p50\": \(time)}")
        let error = try #require(throws: Baseline.Refusal.self) { try Baseline(lines, file: "f") }
        #expect("\(error)".hasPrefix("remap has a median of ") && "\(error)".contains("; give times above 0"))
    }

    @Test("is a column of the page, where there is one")
    func page() throws {
        var outcome = Self.outcome(2)
        #expect(!CyclePage(outcome).html.contains("× baseline"))
        outcome.baseline = try Baseline(
            try Self.lines("{\"strategy\": \"persist\", \"memoryBytes\": 268435456, \"p50\": 16}"),
            file: "<floor>")
        let page = CyclePage(outcome).html
        #expect(page.contains("<th>median</th><th>× baseline</th>"))
        #expect(page.contains("<td>40 µs</td><td>2.5</td>") && page.contains("<td>1.6 ms</td><td>–</td>"))
        #expect(page.contains("Baseline: &lt;floor&gt;") && page.contains("remap, 256 MiB, base pages"))
    }
}
