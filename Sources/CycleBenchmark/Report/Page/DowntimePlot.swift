/// How long no frame comes, a point for each strategy and size on a logarithmic axis, as inline SVG.
struct DowntimePlot {
    /// Those that have a downtime.
    let results: [CycleReport.Result]

    private static let (width, left, right) = (760.0, 190.0, 650.0)
    private static let (rowHeight, barHeight, top) = (26.0, 16.0, 8.0)

    var svg: String {
        let times = results.flatMap { result in
            [result.downtime?.p50, result.downtime?.p99, result.suspendToEnable?.p50].compactMap { $0 }
        }
        let scale = LogarithmicScale(times.filter { $0 > 0 }, base: 10, from: Self.left, to: Self.right)
        let bottom = Self.top + Double(results.count) * Self.rowHeight
        var parts: [String] = []
        for tick in scale.ticks {
            let x = number(scale.position(tick))
            parts.append(
                "<line class=\"grid\" x1=\"\(x)\" y1=\"\(number(Self.top))\" x2=\"\(x)\" y2=\"\(number(bottom))\"/>"
            )
            parts.append(
                "<text class=\"tick middle\" x=\"\(x)\" y=\"\(number(bottom + 16))\">\(FigureText.time(tick))</text>"
            )
        }
        for (index, result) in results.enumerated() {
            parts.append(row(result, scale, y: Self.top + Double(index) * Self.rowHeight + 5))
        }
        return """
            <svg viewBox="0 0 \(number(Self.width)) \(number(bottom + 24))" role="img" \
            aria-label="Downtime under traffic for each strategy">
            \(parts.joined(separator: "\n"))
            </svg>
            """
    }

    private func row(_ result: CycleReport.Result, _ scale: LogarithmicScale, y: Double) -> String {
        guard let downtime = result.downtime, downtime.p50 > 0 else { return "" }
        let middle = number(y + Self.barHeight / 2)
        let end = scale.position(downtime.p50)
        let farthest = scale.position(max(downtime.p99, downtime.p50))
        var parts = [
            "<text class=\"label end s-\(result.strategy.rawValue)\" x=\"\(number(Self.left - 8))\" y=\"\(middle)\" dy=\".35em\">\(FigureText.memory(result.memoryBytes)), \(result.strategy.rawValue)</text>",
            "<g class=\"s-\(result.strategy.rawValue)\">",
            "<line class=\"whisker\" x1=\"\(number(end))\" y1=\"\(middle)\" x2=\"\(number(farthest))\" y2=\"\(middle)\"><title>99th percentile: \(FigureText.time(downtime.p99))</title></line>",
            "<circle cx=\"\(number(end))\" cy=\"\(middle)\" r=\"4.5\"/>",
        ]
        if let span = result.suspendToEnable, span.p50 > 0 {
            let x = number(scale.position(span.p50))
            parts.append(
                "<line class=\"span\" x1=\"\(x)\" y1=\"\(number(y))\" x2=\"\(x)\" y2=\"\(number(y + Self.barHeight))\"><title>first call to last enable: \(FigureText.time(span.p50))</title></line>"
            )
        }
        parts.append("</g>")
        parts.append(
            "<text class=\"label value\" x=\"\(number(farthest + 8))\" y=\"\(middle)\" dy=\".35em\">\(FigureText.time(downtime.p50))</text>"
        )
        return parts.joined(separator: "\n")
    }

    private func number(_ value: Double) -> String { FigureText.coordinate(value) }
}
