internal import CycleBenchmark

/// Numbers as people read them.
enum NumberText {
    /// `1234567` as `1,234,567`.
    static func grouped(_ number: some BinaryInteger) -> String {
        let digits = String(number.magnitude)
        var groups: [Substring] = []
        var rest = digits[...]
        while !rest.isEmpty {
            groups.insert(rest.suffix(3), at: 0)
            rest = rest.dropLast(3)
        }
        return (number < 0 ? "-" : "") + groups.joined(separator: ",")
    }

    /// A rate or a mean: in whole numbers from 100 on, with up to two digits below; never an exponent.
    static func short(_ number: Double) -> String {
        guard number.magnitude < 100 else { return grouped(Int(number.rounded())) }
        let hundredths = Int((number * 100).rounded())
        let fraction = hundredths.magnitude % 100
        let whole = (number < 0 ? "-" : "") + "\(hundredths.magnitude / 100)"
        if fraction == 0 { return whole }
        return whole
            + (fraction % 10 == 0 ? ".\(fraction / 10)" : fraction < 10 ? ".0\(fraction)" : ".\(fraction)")
    }

    /// `2,930,000` as `2.93 M`.
    static func scaled(_ number: Double) -> String {
        for (limit, unit) in [(1e9, "G"), (1e6, "M"), (1e3, "k")] where number >= limit {
            return "\(short(number / limit)) \(unit)"
        }
        return short(number)
    }

    /// Microseconds in the unit that people would use, as every table and page shows them.
    static func time(microseconds: Double) -> String { FigureText.time(microseconds) }
}
