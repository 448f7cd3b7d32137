/// A plot of rows on a logarithmic axis of time, a name before each, as inline SVG.
struct RowPlot {
    /// What the plot shows, for who hears it.
    let title: String
    /// How many rows there are.
    let rowCount: Int
    /// The times on the axis, in microseconds.
    let scale: LogarithmicScale

    private static let (width, left) = (800.0, 236.0)
    private static let (rowHeight, top) = (26.0, 8.0)
    /// The height of a row's bar, point or line.
    static let barHeight = 16.0

    /// `right` is where the axis ends, of 800; behind it is room for figures.
    init(_ title: String, rowCount: Int, times: [Double], right: Double) {
        self.title = title
        self.rowCount = rowCount
        scale = LogarithmicScale(times.filter { $0 > 0 }, base: 10, from: Self.left, to: right)
    }

    /// The whole plot; `row` draws the row of a number whose top is at `y`.
    func svg(_ row: (_ index: Int, _ y: Double) -> String) -> String {
        let bottom = Self.top + Double(rowCount) * Self.rowHeight
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
        parts += (0..<rowCount).map { row($0, Self.top + Double($0) * Self.rowHeight + 5) }
        return """
            <svg viewBox="0 0 \(number(Self.width)) \(number(bottom + 24))" role="img" \
            aria-label="\(title)">
            \(parts.joined(separator: "\n"))
            </svg>
            """
    }

    /// The name before a row whose top is at `y`: a size of memory and a strategy.
    func name(_ memoryBytes: UInt64, _ strategy: CycleStrategy, y: Double) -> String {
        "<text class=\"label end s-\(strategy.rawValue)\" x=\"\(number(Self.left - 8))\" y=\"\(middle(y))\" dy=\".35em\">\(FigureText.memory(memoryBytes)), \(strategy.rawValue)</text>"
    }

    /// The middle of a row whose top is at `y`.
    func middle(_ y: Double) -> String { number(y + Self.barHeight / 2) }

    /// Where a time stands.
    func position(_ time: Double) -> String { number(scale.position(time)) }

    func number(_ value: Double) -> String { FigureText.coordinate(value) }
}
