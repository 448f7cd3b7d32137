internal import Glibc

/// Values on a logarithmic axis, from whole powers of `base`.
struct LogarithmicScale {
    let base: Double
    let lowest: Int
    let highest: Int
    /// Where the ends lie on the page.
    let from: Double
    let to: Double

    /// The axis that holds `values`, all above zero; at least one power wide.
    init(_ values: [Double], base: Double, from: Double, to: Double) {
        let least = values.min() ?? 1
        let most = values.max() ?? 1
        self.base = base
        // A value at a power of the base is at that power, whatever the last bit of its logarithm says.
        lowest = Int((log(least) / log(base) + 1e-9).rounded(.down))
        highest = max(lowest + 1, Int((log(most) / log(base) - 1e-9).rounded(.up)))
        self.from = from
        self.to = to
    }

    /// The powers at which the axis is marked.
    var ticks: [Double] { (lowest...highest).map { pow(base, Double($0)) } }

    /// Where `value` lies.
    func position(_ value: Double) -> Double {
        let share = (log(value) / log(base) - Double(lowest)) / Double(highest - lowest)
        return from + share * (to - from)
    }
}
