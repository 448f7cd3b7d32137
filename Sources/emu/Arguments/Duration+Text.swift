extension Duration {
    /// The units a time is written in, and how many microseconds each has.
    private static let units: [(suffix: String, microseconds: Int64)] = [
        ("us", 1), ("ms", 1000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000),
    ]
    /// The same in words, as in `us, ms or s`.
    static let unitNames =
        units.dropLast().map(\.suffix).joined(separator: ", ") + " or " + (units.last?.suffix ?? "")
    /// The longest time that is taken, in microseconds: 31 years.
    private static let longest: Int64 = 1_000_000_000_000_000

    /// Reads a decimal number, with a fraction or without, and one of `us`, `ms`, `s`, `m` (minutes) and `h` in either
    /// case: `200ms`, `1.5s`. Signs, spaces, exponents, bare numbers and parts of a microsecond are refused.
    init(parsing text: String) throws(ArgumentError) {
        let number = text.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let suffix = text.dropFirst(number.count).lowercased()
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let unit = Self.units.first(where: { $0.suffix == suffix }), parts.allSatisfy({ !$0.isEmpty }),
            !parts.dropFirst().contains(where: { $0.contains(".") })
        else { throw ArgumentError("use a number and \(Self.unitNames), as in 200ms or 1.5s") }
        guard let whole = Int64(parts[0]), whole <= Self.longest / unit.microseconds else {
            throw ArgumentError("that is longer than 1000000000s; use less, as in 1h")
        }
        let fraction = try parts.count == 2 ? Self.fraction(parts[1], of: unit.microseconds) : 0
        guard whole * unit.microseconds <= Self.longest - fraction else {
            throw ArgumentError("that is longer than 1000000000s; use less, as in 1h")
        }
        self = .microseconds(whole * unit.microseconds + fraction)
    }

    /// How many of `unit` microseconds the digits behind the point say.
    private static func fraction(
        _ digits: Substring, of unit: Int64
    ) throws(ArgumentError) -> Int64 {
        var rest = unit
        var sum: Int64 = 0
        for digit in digits {
            let value = Int64(digit.wholeNumberValue ?? 0)
            guard value == 0 || rest >= 10 && rest.isMultiple(of: 10) else {
                throw ArgumentError("times are in whole microseconds; use fewer digits, as in 1.5ms")
            }
            rest /= 10
            sum += value * rest
        }
        return sum
    }

    /// The time in the largest of `us`, `ms` and `s` that says it in whole numbers, to the microsecond.
    var text: String {
        let microseconds = Int64(self.microseconds)
        if microseconds % 1_000_000 == 0 { return "\(microseconds / 1_000_000)s" }
        if microseconds % 1000 == 0 { return "\(microseconds / 1000)ms" }
        return "\(microseconds)us"
    }

    /// The time in microseconds, to the nanosecond: how JSON carries times.
    var microseconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) * 1e6 + Double(attoseconds / 1_000_000_000) / 1e3
    }

    /// The time in seconds.
    var seconds: Double { microseconds / 1e6 }
}
