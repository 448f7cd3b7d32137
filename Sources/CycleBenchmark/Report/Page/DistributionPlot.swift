internal import GuestMemory

/// Every cycle as a line on a logarithmic axis of time, a row for each strategy and size, as inline SVG.
struct DistributionPlot {
    let series: [CycleSeries]

    private static let (width, left, right) = (760.0, 190.0, 730.0)
    private static let (rowHeight, lineHeight, top) = (26.0, 16.0, 8.0)

    var svg: String {
        let values = series.flatMap(\.cycles.values).filter { $0 > 0 }.map { Double($0) / 1000 }
        let scale = LogarithmicScale(values, base: 10, from: Self.left, to: Self.right)
        let bottom = Self.top + Double(series.count) * Self.rowHeight
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
        for (index, one) in series.enumerated() {
            parts.append(row(one, scale, y: Self.top + Double(index) * Self.rowHeight + 5))
        }
        return """
            <svg viewBox="0 0 \(number(Self.width)) \(number(bottom + 24))" role="img" \
            aria-label="The time of every cycle measured">
            \(parts.joined(separator: "\n"))
            </svg>
            """
    }

    private func row(_ series: CycleSeries, _ scale: LogarithmicScale, y: Double) -> String {
        let middle = number(y + Self.lineHeight / 2)
        var parts = [
            "<text class=\"label end s-\(series.strategy.rawValue)\" x=\"\(number(Self.left - 8))\" y=\"\(middle)\" dy=\".35em\">\(FigureText.memory(series.setup.memory.rawValue)), \(series.strategy.rawValue)</text>",
            "<g class=\"s-\(series.strategy.rawValue)\">",
        ]
        // One path for all: thousands of elements would make the page slow.
        let path = series.cycles.values.filter { $0 > 0 }.map { value in
            "M\(number(scale.position(Double(value) / 1000))) \(number(y))v\(number(Self.lineHeight))"
        }.joined()
        parts.append("<path class=\"ticks\" d=\"\(path)\"/>")
        return (parts + ["</g>"]).joined(separator: "\n")
    }

    private func number(_ value: Double) -> String { FigureText.coordinate(value) }
}
