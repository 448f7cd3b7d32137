internal import GuestMemory

/// Every cycle as a line on a logarithmic axis of time, a row for each strategy and size, as inline SVG.
struct DistributionPlot {
    private let series: [CycleSeries]
    private let plot: RowPlot

    init(series: [CycleSeries]) {
        self.series = series
        plot = RowPlot(
            "The time of every cycle measured", rowCount: series.count,
            times: series.flatMap(\.cycles.values).map { Double($0) / 1000 }, right: 770)
    }

    var svg: String { plot.svg { row(series[$0], y: $1) } }

    private func row(_ series: CycleSeries, y: Double) -> String {
        // One path for all: thousands of elements would make the page slow.
        let path = series.cycles.values.filter { $0 > 0 }.map { value in
            "M\(plot.position(Double(value) / 1000)) \(plot.number(y))v\(plot.number(RowPlot.barHeight))"
        }.joined()
        return [
            plot.name(series.setup.memory.rawValue, series.strategy, y: y),
            "<g class=\"s-\(series.strategy.rawValue)\">", "<path class=\"ticks\" d=\"\(path)\"/>", "</g>",
        ].joined(separator: "\n")
    }
}
