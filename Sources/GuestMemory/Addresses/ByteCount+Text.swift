/// Why a text is no size.
package enum SizeTextError: Error, Hashable, Sendable {
    /// It is not a number with or without a unit.
    case malformed
    /// It is more than 64 bits count.
    case tooLarge
}

extension ByteCount: CustomStringConvertible {
    /// The units a size is written in, the largest first, each with its power of two.
    private static let units: [(suffix: Character, shift: UInt64)] = [
        ("E", 60), ("P", 50), ("T", 40), ("G", 30), ("M", 20), ("K", 10),
    ]

    /// Makes a count of what people write, as QEMU takes it: a decimal number, then `K`, `M`, `G`, `T`, `P` or `E` in
    /// either case, or `B` or nothing for bytes. A number with a unit may have a fraction; what is below a byte is cut.
    ///
    /// Anything else is `nil`: signs, spaces, exponents, hexadecimal numbers, and a size above 64 bits.
    public init?(parsing text: some StringProtocol) {
        guard let count = try? ByteCount(reading: text) else { return nil }
        self = count
    }

    /// The same, with the reason for a text that is no size.
    package init(reading text: some StringProtocol) throws(SizeTextError) {
        var number = text[...]
        var shift: UInt64 = 0
        if let last = number.last?.uppercased() {
            let unit = Self.units.first { "\($0.suffix)" == last }
            shift = unit?.shift ?? 0
            if unit != nil || last == "B" { number.removeLast() }
        }
        let parts = number.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isDigit) }), let whole = parts.first,
            parts.count == 1 || shift > 0
        else { throw .malformed }
        guard let count = UInt64(whole) else { throw .tooLarge }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: 1 << shift)
        guard !overflow else { throw .tooLarge }
        // Below one unit, so the sum fits.
        self.init(rawValue: bytes + (parts.count == 2 ? Self.fraction(parts[1], of: 1 << shift) : 0))
    }

    /// How many of `unit` bytes the digits behind the point say, exactly. What is behind the nineteenth
    /// digit is less than a byte of the largest unit.
    private static func fraction(_ digits: some StringProtocol, of unit: UInt64) -> UInt64 {
        var numerator: UInt64 = 0
        var denominator: UInt64 = 1
        for digit in digits.utf8.prefix(19) {
            numerator = numerator * 10 + UInt64(digit - UInt8(ascii: "0"))
            denominator *= 10
        }
        return denominator.dividingFullWidth(numerator.multipliedFullWidth(by: unit)).quotient
    }

    private static func isDigit(_ byte: UInt8) -> Bool { UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }

    /// The count in the largest unit that says it exactly: `1G`, `1536M`, `4K`, or the bytes themselves.
    public var description: String {
        for unit in Self.units where rawValue != 0 && rawValue & ((1 << unit.shift) - 1) == 0 {
            return "\(rawValue >> unit.shift)\(unit.suffix)"
        }
        return "\(rawValue)"
    }
}
