extension Duration {
    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("us", 1000), ("ms", 1_000_000), ("s", 1_000_000_000),
    ]

    /// Reads digits and one of `us`, `ms` and `s`: `200ms`. Signs, spaces, fractions and bare numbers are refused.
    init(parsing text: String) throws(ArgumentError) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty,
            let unit = Self.units.first(where: { $0.suffix == text.dropFirst(digits.count) })
        else { throw ArgumentError("use a whole number and us, ms or s, as in 200ms") }
        guard let number = Int64(digits), number <= 1_000_000_000_000 / unit.nanoseconds * 1_000_000 else {
            throw ArgumentError("that is longer than 1000000000s")
        }
        self = .microseconds(number * (unit.nanoseconds / 1000))
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
