/// Where the time of a cycle goes: a bar of phases for each strategy and size, each as long as the others, as
/// inline SVG. The time itself stands behind the bar: lengths that differ by thousands do not compare by eye.
struct PhasePlot {
    let results: [CycleReport.Result]

    private static let (width, left, right) = (800.0, 236.0, 690.0)
    private static let (rowHeight, barHeight, top) = (26.0, 18.0, 52.0)

    var svg: String {
        let rows = results.filter { $0.phases.values.reduce(0, +) > 0 }
        let height = Self.top + Double(rows.count) * Self.rowHeight + 6
        var parts = legend
        for (index, result) in rows.enumerated() {
            parts.append(row(result, y: Self.top + Double(index) * Self.rowHeight))
        }
        return """
            <svg viewBox="0 0 \(number(Self.width)) \(number(height))" role="img" \
            aria-label="The share of each phase in a cycle">
            \(parts.joined(separator: "\n"))
            </svg>
            """
    }

    private var legend: [String] {
        CyclePhase.allCases.enumerated().flatMap { index, phase in
            let x = Double(index % 5) * 140 + 20
            let y = Double(index / 5) * 20 + 4
            return [
                "<rect class=\"p-\(phase.rawValue)\" x=\"\(number(x))\" y=\"\(number(y))\" width=\"12\" height=\"12\"/>",
                "<text class=\"tick\" x=\"\(number(x + 18))\" y=\"\(number(y + 6))\" dy=\".35em\">\(phase.words)</text>",
            ]
        }
    }

    private func row(_ result: CycleReport.Result, y: Double) -> String {
        let total = result.phases.values.reduce(0, +)
        let middle = number(y + Self.barHeight / 2)
        var parts = [
            "<text class=\"label end s-\(result.strategy.rawValue)\" x=\"\(number(Self.left - 8))\" y=\"\(middle)\" dy=\".35em\">\(FigureText.memory(result.memoryBytes)), \(result.strategy.rawValue)</text>"
        ]
        var x = Self.left
        for phase in CyclePhase.allCases {
            let time = result.phases[phase.rawValue] ?? 0
            let length = time / total * (Self.right - Self.left)
            guard length > 0 else { continue }
            parts.append(
                "<rect class=\"p-\(phase.rawValue)\" x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(length))\" height=\"\(number(Self.barHeight))\"><title>\(phase.words): \(FigureText.time(time))</title></rect>"
            )
            x += length
        }
        parts.append(
            "<text class=\"label value\" x=\"\(number(Self.right + 8))\" y=\"\(middle)\" dy=\".35em\">\(FigureText.time(total))</text>"
        )
        return parts.joined(separator: "\n")
    }

    private func number(_ value: Double) -> String { FigureText.coordinate(value) }
}

extension CyclePhase {
    /// The phase as a reader sees it.
    var words: String {
        switch self {
        case .baseRead: "base read"
        case .vringSetup: "vring setup"
        default: rawValue
        }
    }
}
