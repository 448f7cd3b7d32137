/// Cycle time against memory, one line for each strategy, both axes logarithmic, as inline SVG.
struct CyclePlot {
    let results: [CycleReport.Result]

    private static let (width, height) = (800.0, 420.0)
    private static let (left, right, top, bottom) = (64.0, 570.0, 16.0, 372.0)
    /// Between two labels at the end of lines.
    private static let labelHeight = 17.0

    var svg: String { svg("", "") }

    /// As a file of its own, with its size, style and ground.
    var standalone: String {
        svg(
            "xmlns=\"http://www.w3.org/2000/svg\" width=\"\(number(Self.width))\" height=\"\(number(Self.height))\" ",
            "<style>\(PageStyle.picture)</style><rect width=\"100%\" height=\"100%\" fill=\"var(--paper)\"/>\n"
        )
    }

    /// `attributes` ends with a space, `ground` is below everything.
    private func svg(_ attributes: String, _ ground: String) -> String {
        let across = LogarithmicScale(
            results.map { Double($0.memoryBytes) }, base: 2, from: Self.left + 24, to: Self.right - 8)
        let farthestRight = results.map { place($0.memoryBytes, across) }.max() ?? Self.right
        let up = LogarithmicScale(
            results.flatMap { [$0.cycle.p50, $0.cycle.farthest] }.filter { $0 > 0 }, base: 10,
            from: Self.bottom,
            to: Self.top)
        var parts = axes(across, up)
        var ends: [End] = []
        for strategy in CycleStrategy.allCases {
            let points = results.filter { $0.strategy == strategy && $0.cycle.p50 > 0 }
                .sorted { $0.memoryBytes < $1.memoryBytes }
            guard let last = points.last else { continue }
            parts.append(line(strategy, points, across, up))
            ends.append(
                End(
                    strategy: strategy, x: place(last.memoryBytes, across),
                    y: up.position(last.cycle.p50), time: last.cycle.p50))
        }
        // Each name stands at its own line's last point, not at the end of the axis.
        for x in Set(ends.map(\.x)).sorted() {
            parts += labels(ends.filter { $0.x == x }, isOutside: x == farthestRight)
        }
        return """
            <svg \(attributes)viewBox="0 0 \(number(Self.width)) \(number(Self.height))" role="img" \
            aria-label="Cycle time against guest memory for each strategy">
            \(ground)\(parts.joined(separator: "\n"))
            </svg>
            """
    }

    private func axes(_ across: LogarithmicScale, _ up: LogarithmicScale) -> [String] {
        var parts: [String] = []
        for tick in up.ticks {
            let y = number(up.position(tick))
            parts.append(
                "<line class=\"grid\" x1=\"\(number(Self.left))\" y1=\"\(y)\" x2=\"\(number(Self.right))\" y2=\"\(y)\"/>"
            )
            parts.append(
                "<text class=\"tick end\" x=\"\(number(Self.left - 8))\" y=\"\(y)\" dy=\".35em\">\(FigureText.time(tick))</text>"
            )
        }
        // Only the sizes that were measured are marked.
        for size in Set(results.map(\.memoryBytes)).sorted() {
            let x = number(place(size, across))
            parts.append(
                "<line class=\"mark\" x1=\"\(x)\" y1=\"\(number(Self.bottom))\" x2=\"\(x)\" y2=\"\(number(Self.bottom + 5))\"/>"
            )
            parts.append(
                "<text class=\"tick middle\" x=\"\(x)\" y=\"\(number(Self.bottom + 20))\">\(FigureText.memory(size))</text>"
            )
        }
        parts.append(
            "<text class=\"tick middle\" x=\"\(number((Self.left + Self.right) / 2))\" y=\"\(number(Self.bottom + 40))\">guest memory</text>"
        )
        return parts
    }

    private func line(
        _ strategy: CycleStrategy, _ points: [CycleReport.Result], _ across: LogarithmicScale,
        _ up: LogarithmicScale
    ) -> String {
        let places = points.map {
            (
                place($0.memoryBytes, across), up.position($0.cycle.p50),
                up.position(max($0.cycle.farthest, $0.cycle.p50))
            )
        }
        let path = places.map { "\(number($0.0)),\(number($0.1))" }.joined(separator: " ")
        var parts = ["<g class=\"s-\(strategy.rawValue)\">", "<polyline points=\"\(path)\"/>"]
        for (x, y, high) in places {
            parts.append(
                "<line class=\"whisker\" x1=\"\(number(x))\" y1=\"\(number(y))\" x2=\"\(number(x))\" y2=\"\(number(high))\"/>"
            )
            parts.append("<circle cx=\"\(number(x))\" cy=\"\(number(y))\" r=\"4.5\"/>")
        }
        return (parts + ["</g>"]).joined(separator: "\n")
    }

    /// Where a size stands on the axis: one that is alone in the middle, as it is at no end of anything.
    private func place(_ memoryBytes: UInt64, _ across: LogarithmicScale) -> Double {
        results.contains { $0.memoryBytes != memoryBytes }
            ? across.position(Double(memoryBytes)) : (Self.left + Self.right) / 2
    }

    /// Where a line ends.
    private struct End {
        let strategy: CycleStrategy
        let x: Double
        let y: Double
        let time: Double
    }

    /// Names beside the last points of lines that end at the same place, moved apart where they would touch; below the
    /// last one there is room for all of them. Where other lines go on, they stand on ground of their own.
    private func labels(_ ends: [End], isOutside: Bool) -> [String] {
        let sorted = ends.sorted { $0.y < $1.y }
        var free = Self.top
        var places = sorted.map { end in
            let y = max(end.y, free)
            free = y + Self.labelHeight
            return y
        }
        // Moved up again from the bottom of the plot, where they would run into the axis.
        var limit = Self.bottom - 4
        for index in places.indices.reversed() {
            places[index] = min(places[index], limit)
            limit = places[index] - Self.labelHeight
        }
        return zip(sorted, places).map { end, y in
            "<text class=\"label\(isOutside ? "" : " inside") s-\(end.strategy.rawValue)\" x=\"\(number(end.x + 10))\" y=\"\(number(y))\" dy=\".35em\">\(end.strategy.rawValue)<tspan class=\"value\"> \(FigureText.time(end.time))</tspan></text>"
        }
    }

    private func number(_ value: Double) -> String { FigureText.coordinate(value) }
}
