internal import GuestMemory

/// The report as one HTML page that needs nothing else: figures are inline SVG, the style is in the page.
package struct CyclePage {
    private let outcome: CycleOutcome
    private let report: CycleReport

    /// The name of the raw data's file, which the page links to.
    package static let dataName = "cycles.csv"

    package init(_ outcome: CycleOutcome) {
        self.outcome = outcome
        report = CycleReport(outcome)
    }

    /// The name of the first plot's file, for a slide or a document.
    package static let pictureName = "cycles.svg"

    /// The first plot by itself. Who shows it as an image gives it no style, so it has its own.
    package var picture: String { CyclePlot(results: report.results).standalone }

    package var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(escaped(headline))</title>
        <style>\(PageStyle.css)</style>
        </head>
        <body>
        <main>
        <h1>\(escaped(headline))</h1>
        <p class="lead">\(escaped(subtitle))</p>
        \(remarks)
        <figure>
        \(CyclePlot(results: report.results).svg)
        <figcaption>Median time of one stop and start against guest memory, both axes logarithmic. The thin line above \
        a point reaches to the 99th percentile, or to the maximum of fewer than \(Samples.leastForP99) cycles.</figcaption>
        </figure>
        <h2>Where the time goes</h2>
        <figure>
        \(PhasePlot(results: report.results).svg)
        <figcaption>The share of each phase (medians), with their sum behind the bar. Taken in cycles of their own, as \
        each phase costs a reading of the clock. A resume has no reset: its RESUME is in “enable”.</figcaption>
        </figure>
        <h2>Every cycle</h2>
        <figure>
        \(DistributionPlot(series: outcome.series).svg)
        <figcaption>One line for each cycle measured\(sampled). Raw data: <a href="\(Self.dataName)">\(Self.dataName)</a>.</figcaption>
        </figure>
        \(downtime)
        <h2>The numbers</h2>
        \(table)
        \(baseline)
        \(firstMaps)
        \(notes)
        <h2>How it was measured</h2>
        <p>\(escaped(method))</p>
        <p class="small">\(escaped(machine))</p>
        <p class="small">\(escaped(origin))</p>
        <pre>\(escaped(report.command))</pre>
        </main>
        </body>
        </html>

        """
    }

    /// What the numbers say, from the largest memory that has both strategies.
    private var headline: String {
        let sizes = Set(report.results.map(\.memoryBytes)).sorted(by: >)
        for size in sizes {
            guard let remap = result(.remap, size), let persist = result(.persist, size),
                persist.cycle.p50 > 0
            else { continue }
            let ratio = FigureText.short(remap.cycle.p50 / persist.cycle.p50)
            return
                "With \(FigureText.memory(size)) of guest memory, a stop and start that keeps its maps is \(ratio)"
                + " times as fast"
        }
        return "What a stop and start costs"
    }

    private var subtitle: String {
        guard let first = report.results.first else { return "Nothing was measured." }
        let regions = Set(report.results.map(\.regions)).sorted().map { "\($0)" }.joined(separator: " or ")
        return "\(first.device), memory \(first.pinned ? "pinned" : "not pinned") by the device,"
            + " \(first.queuePairs) queue pair\(first.queuePairs == 1 ? "" : "s"), \(regions) mapped regions, \(pages(first.pageKind))"
    }

    private func pages(_ kind: String) -> String {
        switch PageKind(rawValue: kind) {
        case .explicit: "2 MiB pages"
        case .transparent: "transparent huge pages"
        default: "\(FigureText.memory(RAMBlock.hostPageSize.rawValue)) pages"
        }
    }

    private var method: String {
        "The device calls of one stop and one start, on one thread, with idle queues; what the guest's driver does in"
            + " between is left out. Strategies take turns cycle by cycle on one open device, so that drift hits all of"
            + " them; guest memory is touched before\(modelledText), and the first cycles are not counted. After the first and the last"
            + " cycle of each strategy frames had to come back through the device. Downtime is measured in cycles of its"
            + " own, while the guest sends without pause; no frame may be lost. Percentiles are the nearest rank of \(isSampled ? "the cycles kept" : "all cycles")."
    }

    private var modelledText: String {
        report.results.contains(where: \.modelled) ? " (where it is not marked as modelled)" : ""
    }

    /// Whether more cycles were measured than are kept.
    private var isSampled: Bool {
        outcome.series.contains { !$0.cycles.isComplete || !$0.downtimes.isComplete }
    }

    private var sampled: String {
        isSampled ? ", of long series \(FigureText.grouped(Samples.standardLimit)) chosen at random" : ""
    }

    /// When, by what, and with which command.
    private var origin: String {
        let version = report.version.isEmpty ? "emu" : "emu \(report.version)"
        return "\(report.date), \(version)"
            + (report.interrupted ? ", interrupted before its end" : "") + (report.command.isEmpty ? "" : ":")
    }

    /// What a reader has to know first.
    private var remarks: String {
        let lines =
            (report.interrupted ? ["Interrupted before its end: this is what had been measured."] : [])
            + report.remarks
        guard !lines.isEmpty else { return "" }
        return "<ul class=\"remarks\">" + lines.map { "<li>\(escaped($0))</li>" }.joined(separator: "\n")
            + "</ul>"
    }

    private var machine: String {
        let machine = report.machine
        return "\(machine.kernel); \(machine.processors) × \(machine.processor);"
            + " \(FigureText.memory(machine.memoryBytes & ~((1 << 20) - 1))) of memory; clock: \(machine.clockSource)"
    }

    private var table: String {
        let head = CycleTimes.FarthestHead(report.results.map(\.cycle))
        let heads =
            [
                "memory", "strategy", "median",
            ] + (report.baseline == nil ? [] : ["× baseline"]) + [
                "spread", head.rawValue, "cycles", "downtime", "maps", "unmaps", "batches", "ioctls", "runs",
            ]
        let rows = report.results.map { result in
            let runs = result.contiguousRuns.map { FigureText.grouped($0) } ?? "–"
            let cells =
                [
                    FigureText.memory(result.memoryBytes) + (result.modelled ? " (modelled)" : ""),
                    result.strategy.rawValue, FigureText.time(result.cycle.p50),
                ] + (report.baseline.map { [baselineText($0, result)] } ?? []) + [
                    result.cycle.spreadText,
                    result.cycle.farthestText(below: head), FigureText.grouped(result.cycles),
                    result.downtime.map { FigureText.time($0.p50) } ?? "–",
                    FigureText.short(result.perCycle.updates), FigureText.short(result.perCycle.invalidates),
                    FigureText.short(result.perCycle.batches), FigureText.short(result.perCycle.ioctls), runs,
                ]
            return "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
        }
        return "<div class=\"wide\"><table><thead><tr>" + heads.map { "<th>\($0)</th>" }.joined()
            + "</tr></thead><tbody>\n" + rows.joined(separator: "\n")
            + "\n</tbody></table></div>\n<p class=\"small\">Maps to ioctls: what one cycle sends, on average. Spread: the width of the"
            + " middle half of the times as a part of the median. p99: the 99th percentile, from \(Samples.leastForP99) cycles"
            + " on. Runs: physically contiguous pieces of guest memory.</p>"
    }

    /// How many times as long as in the baseline, where that has the same.
    private func baselineText(_ baseline: BaselineComparison, _ result: CycleReport.Result) -> String {
        baseline.pair(of: result).map { FigureText.short($0.ratio) } ?? "–"
    }

    /// What the column of the baseline is of, and what it cannot say.
    private var baseline: String {
        guard let baseline = report.baseline else { return "" }
        let words =
            baseline.notComparable.isEmpty
            ? "" : " Not comparable: \(baseline.notComparable.joined(separator: "; "))."
        return "<p class=\"small\">\(escaped("Baseline: \(baseline.name).\(words)"))</p>"
    }

    private var downtime: String {
        let measured = report.results.filter { $0.downtime != nil }
        guard !measured.isEmpty else { return "" }
        return """
            <h2>What the guest notices</h2>
            <figure>
            \(DowntimePlot(results: measured).svg)
            <figcaption>Under traffic: the point is the median time from the last frame before the stop to the first one \
            after the start, and the thin line reaches to its 99th percentile. The upright mark is the median time from \
            the first device call (SUSPEND where there is one) to the end of the last that enables a queue.</figcaption>
            </figure>
            """
    }

    private var firstMaps: String {
        guard !report.firstMaps.isEmpty else { return "" }
        let rows = report.firstMaps.map { map in
            let cells = [
                FigureText.memory(map.memoryBytes), map.contiguousRuns.map { FigureText.grouped($0) } ?? "–",
                FigureText.time(map.map),
                map.registerBuffers.map { FigureText.time($0) } ?? escaped(map.obstacle ?? "–"),
                map.ratio.map { FigureText.short($0) } ?? "–",
            ]
            return "<tr>" + cells.map { "<td>\($0)</td>" }.joined() + "</tr>"
        }
        let heads = ["memory", "runs", "first map", "io_uring registers it", "ratio"]
        return "<h2>The first map</h2><div class=\"wide\"><table class=\"numbers\"><thead><tr>"
            + heads.map { "<th>\($0)</th>" }.joined() + "</tr></thead><tbody>\n"
            + rows.joined(separator: "\n")
            + "\n</tbody></table></div>\n<p class=\"small\">What it took to map all of guest memory when the device was opened,"
            + " the median of the openings, beside io_uring_register_buffers, which pins the same pages for another"
            + " purpose.</p>"
    }

    private var notes: String {
        let skips = report.skipped.map { skip in
            "Not measured: \(FigureText.memory(skip.memoryBytes))\(skip.strategy.map { ", \($0.rawValue)" } ?? ""): \(skip.reason)"
        }
        let lines = report.problems.map { "Wrong: \($0)" } + skips
        guard !lines.isEmpty else { return "" }
        return "<ul>" + lines.map { "<li>\(escaped($0))</li>" }.joined(separator: "\n") + "</ul>"
    }

    private func result(_ strategy: CycleStrategy, _ size: UInt64) -> CycleReport.Result? {
        report.results.first { $0.strategy == strategy && $0.memoryBytes == size }
    }

    private func escaped(_ text: String) -> String { FigureText.escaped(text) }
}
