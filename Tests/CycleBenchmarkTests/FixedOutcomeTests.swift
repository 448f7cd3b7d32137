import Foundation
import GuestMemory
import Testing

@testable import CycleBenchmark

/// From an outcome to what people and programs read, every number in its own place.
@Suite("A fixed outcome")
struct FixedOutcomeTests {
    @Test("is the same in JSON: each measure under its name, by strategy")
    func json() throws {
        let report = CycleReport(FixedOutcome.outcome)
        let again = try JSONDecoder().decode(CycleReport.self, from: JSONEncoder().encode(report))
        #expect(again == report)
        let remap = try #require(again.results.first { $0.strategy == .remap })
        let persist = try #require(again.results.first { $0.strategy == .persist })
        #expect([remap.cycle.p50, remap.cycle.min, remap.cycle.max] == [800, 700, 900])
        #expect([persist.cycle.p50, persist.cycle.min, persist.cycle.max] == [20, 10, 30])
        #expect([remap.downtime?.p50, remap.suspendToEnable?.p50] == [7000, 6000])
        #expect([persist.downtime?.p50, persist.suspendToEnable?.p50] == [500, 300])
        #expect(remap.cycles == 3 && remap.downtimeCycles == 2)
        #expect(remap.phases["map"] == 650 && remap.phases["reset"] == 41 && persist.phases["map"] == 0)
        #expect(remap.perCycle == .init(updates: 6, invalidates: 7, batches: 2, ioctls: 20))
        #expect(persist.perCycle.ioctls == 19)
        #expect(!again.interrupted && again.problems.isEmpty && again.remarks.isEmpty)
        #expect([again.command, again.version, again.date].allSatisfy { !$0.isEmpty })
    }

    @Test(
        "the first map is the median of the openings, and its ratio is how often a registration goes into it")
    func firstMap() throws {
        let map = try #require(FixedOutcome.outcome.firstMaps.first)
        #expect(map.map == 80_000 && map.registerBuffers == 20_000 && map.openings == 3)
        #expect(map.ratio == 4)
    }

    @Test("is the same in CSV: each time with its measure, none under another's name")
    func csv() throws {
        let lines = CycleCSV.text(FixedOutcome.outcome).split(separator: "\n").map(String.init)
        let head = try #require(lines.first)
        #expect(
            head
                == "strategy,device,memory_bytes,page_kind,pinned,contiguous_runs,modelled,remark,measure,cycle,microseconds"
        )
        func row(_ strategy: String, _ measure: String, _ cycle: Int, _ time: String) -> String {
            "\(strategy),\"sim,use-va=off\",268435456,base,true,1234,false,,\(measure),\(cycle),\(time)"
        }
        #expect(
            Array(lines.dropFirst()) == [
                row("remap", "cycle", 0, "700.0"), row("remap", "cycle", 1, "800.0"),
                row("remap", "cycle", 2, "900.0"), row("remap", "downtime", 0, "7000.0"),
                row("remap", "downtime", 1, "7001.0"), row("remap", "suspend_to_enable", 0, "6000.0"),
                row("remap", "suspend_to_enable", 1, "6001.0"), row("persist", "cycle", 0, "10.0"),
                row("persist", "cycle", 1, "20.0"), row("persist", "cycle", 2, "30.0"),
                row("persist", "downtime", 0, "500.0"), row("persist", "downtime", 1, "501.0"),
                row("persist", "suspend_to_enable", 0, "300.0"),
                row("persist", "suspend_to_enable", 1, "301.0"),
            ])
    }

    @Test("is the same on the page: the ratio, both strategies' times and what it rests on")
    func page() {
        let html = CyclePage(FixedOutcome.outcome).html
        for text in [
            "With 256 MiB of guest memory, a stop and start that keeps its maps is 40 times as fast",
            // Too few for a 99th percentile: the maximum by that name.
            "<th>spread</th><th>maximum</th>",
            "<td>remap</td><td>800 µs</td><td>–</td><td>900 µs</td><td>3</td><td>7 ms</td><td>6</td><td>7</td>",
            "<td>persist</td><td>20 µs</td><td>–</td><td>30 µs</td><td>3</td><td>500 µs</td><td>0</td><td>0</td>",
            "<td>80 ms</td><td>20 ms</td><td>4</td>",
            "<title>first call to last enable: 6 ms</title>", "<title>maximum: 7 ms</title>",
            "2026-11-26 06:05 UTC, emu 9.8.7:",
            "<pre>emu cycle --device 'sim,use-va=off'</pre>", "guest memory is touched before, and",
        ] { #expect(html.contains(text), "\(text)") }
        #expect(!html.contains("modelled") && !html.contains("class=\"remarks\""))
    }

    @Test("memory that was only modelled is marked in JSON, CSV and on the page")
    func modelled() throws {
        var outcome = FixedOutcome.outcome
        outcome.series = [
            FixedOutcome.series(.persist, FixedOutcome.setup(.gibibytes(1024), isModelled: true))
        ]
        let report = CycleReport(outcome)
        #expect(report.results.map(\.modelled) == [true])
        #expect(report.remarks.contains { $0.contains("1 TiB: modelled") })
        #expect(
            CycleCSV.text(outcome).split(separator: "\n").dropFirst().allSatisfy { $0.contains(",,true,,") })
        let html = CyclePage(outcome).html
        #expect(html.contains("<td>1 TiB (modelled)</td>"))
        #expect(html.contains("touched before (where it is not marked as modelled)"))
    }

    @Test(
        "a busy machine and times of two kinds are remarked in JSON, CSV and on the page",
        arguments: [0.01, 1.5])
    func remarks(others: Double) {
        var outcome = FixedOutcome.outcome
        outcome.loads = [FixedOutcome.load(others)]
        outcome.series[1].cycles = FixedOutcome.samples((0..<60).map { $0 % 3 == 0 ? 50 : 20 })
        let isBusy = others > 1
        let remarks = CycleReport(outcome).remarks
        #expect(remarks.contains { $0.contains("others took 1.5 of 2 processors") } == isBusy)
        #expect(
            remarks.contains(
                "256 MiB: times of two kinds, of which a median tells one: persist 67 % around 20 µs and 33 % around"
                    + " 50 µs"))
        let words = CycleCSV.text(outcome).split(separator: "\n").dropFirst().map { line in
            line.split(separator: ",", omittingEmptySubsequences: false)[8]
        }
        #expect(Set(words) == (isBusy ? ["busy", "busy two-kinds"] : ["", "two-kinds"]))
        let html = CyclePage(outcome).html
        #expect(html.contains("the machine was busy") == isBusy)
        #expect(html.contains("times of two kinds"))
    }

    @Test("an interrupted one says so in JSON and on the page")
    func interrupted() {
        var outcome = FixedOutcome.outcome
        outcome.isInterrupted = true
        #expect(CycleReport(outcome).interrupted)
        let html = CyclePage(outcome).html
        #expect(html.contains("Interrupted before its end: this is what had been measured."))
        #expect(html.contains("emu 9.8.7, interrupted before its end:"))
    }

    @Test("of a series too long to keep the CSV has a choice of times without a number, and says so")
    func sampled() {
        var outcome = FixedOutcome.outcome
        var samples = Samples(limit: 4)
        for value in 1...10 { samples.append(UInt64(value) * 1000) }
        outcome.series[0].cycles = samples
        let lines = CycleCSV.text(outcome).split(separator: "\n").filter { $0.contains(",cycle,,") }
        #expect(lines.count == 4)
        #expect(lines.allSatisfy { $0.contains(",sampled,") })
        #expect(CycleReport(outcome).results[0].cycles == 10)
        #expect(CyclePage(outcome).html.contains("chosen at random"))
    }

    @Test("a name stands at the last point of its own line, also where other lines go on")
    func labels() throws {
        var outcome = FixedOutcome.outcome
        outcome.series = [
            FixedOutcome.series(.remap), FixedOutcome.series(.remap, FixedOutcome.setup(.gibibytes(16))),
            FixedOutcome.series(.remapUnbatched, FixedOutcome.setup(.mebibytes(64))),
        ]
        let svg = CyclePlot(results: CycleReport(outcome).results).svg
        func position(_ pattern: some RegexComponent<(Substring, Substring)>) throws -> Double {
            try #require(svg.firstMatch(of: pattern).flatMap { Double($0.1) })
        }
        let point = try position(/<g class="s-remap-unbatched">\n<polyline points="([0-9.]+),/)
        let label = try position(/class="label inside s-remap-unbatched" x="([0-9.]+)"/)
        #expect(label > point && label < point + 20)
        let last = try position(/class="label s-remap" x="([0-9.]+)"/)
        #expect(last > label + 100)
    }

    @Test("five names fit beside the plot and below its head, none on another", arguments: [1.0, 1.001])
    func room(step: Double) {
        var outcome = FixedOutcome.outcome
        outcome.series = CycleStrategy.allCases.enumerated().map { index, strategy in
            var series = FixedOutcome.series(strategy)
            series.cycles = Samples([UInt64(1_000_000 * (1 + Double(index) * (step - 1)))])
            return series
        }
        let svg = CyclePlot(results: CycleReport(outcome).results).svg
        let places = svg.matches(of: /class="label s-[a-z-]+" x="[0-9.]+" y="([0-9.]+)"/).compactMap {
            Double($0.1)
        }
        #expect(places.count == 5)
        #expect(zip(places, places.dropFirst()).allSatisfy { $1 - $0 >= 16.9 })
        #expect(places.allSatisfy { (16...372).contains($0) })
    }
}
