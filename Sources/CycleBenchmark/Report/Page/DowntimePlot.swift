/// How long no frame comes, a point for each strategy and size on a logarithmic axis, as inline SVG.
struct DowntimePlot {
    private let results: [CycleReport.Result]
    private let plot: RowPlot

    /// `results` are those that have a downtime.
    init(results: [CycleReport.Result]) {
        self.results = results
        plot = RowPlot(
            "Downtime under traffic for each strategy", rowCount: results.count,
            times: results.flatMap { result in
                [result.downtime?.p50, result.downtime?.farthest, result.suspendToEnable?.p50].compactMap {
                    $0
                }
            }, right: 690)
    }

    var svg: String { plot.svg { row(results[$0], y: $1) } }

    private func row(_ result: CycleReport.Result, y: Double) -> String {
        guard let downtime = result.downtime, downtime.p50 > 0 else { return "" }
        let middle = plot.middle(y)
        let end = plot.position(downtime.p50)
        let farthest = plot.scale.position(max(downtime.farthest, downtime.p50))
        var parts = [
            plot.name(result.memoryBytes, result.strategy, y: y),
            "<g class=\"s-\(result.strategy.rawValue)\">",
            "<line class=\"whisker\" x1=\"\(end)\" y1=\"\(middle)\" x2=\"\(plot.number(farthest))\" y2=\"\(middle)\"><title>\(downtime.p99 == nil ? "maximum" : "99th percentile"): \(FigureText.time(downtime.farthest))</title></line>",
            "<circle cx=\"\(end)\" cy=\"\(middle)\" r=\"4.5\"/>",
        ]
        if let span = result.suspendToEnable, span.p50 > 0 {
            let x = plot.position(span.p50)
            parts.append(
                "<line class=\"span\" x1=\"\(x)\" y1=\"\(plot.number(y))\" x2=\"\(x)\" y2=\"\(plot.number(y + RowPlot.barHeight))\"><title>first call to last enable: \(FigureText.time(span.p50))</title></line>"
            )
        }
        parts.append("</g>")
        parts.append(
            "<text class=\"label value\" x=\"\(plot.number(farthest + 8))\" y=\"\(middle)\" dy=\".35em\">\(FigureText.time(downtime.p50))</text>"
        )
        return parts.joined(separator: "\n")
    }
}
