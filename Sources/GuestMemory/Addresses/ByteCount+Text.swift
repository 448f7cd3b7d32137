extension ByteCount: CustomStringConvertible {
    /// The units a size is written in, the largest first, each with its power of two.
    private static let units: [(suffix: Character, shift: UInt64)] = [
        ("T", 40), ("G", 30), ("M", 20), ("K", 10),
    ]

    /// Makes a count of what people write: digits, then `K`, `M`, `G`, `T` or nothing for bytes.
    ///
    /// Anything else is `nil`: signs, spaces, fractions, lower-case units, and a size above 64 bits.
    public init?(parsing text: some StringProtocol) {
        var digits = text[...]
        var shift: UInt64 = 0
        if let last = digits.last, let unit = Self.units.first(where: { $0.suffix == last }) {
            shift = unit.shift
            digits.removeLast()
        }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            let number = UInt64(digits)
        else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { return nil }
        self.init(rawValue: bytes)
    }

    /// The count in the largest unit that says it exactly: `1G`, `1536M`, `4K`, or the bytes themselves.
    public var description: String {
        for unit in Self.units where rawValue != 0 && rawValue & ((1 << unit.shift) - 1) == 0 {
            return "\(rawValue >> unit.shift)\(unit.suffix)"
        }
        return "\(rawValue)"
    }
}
