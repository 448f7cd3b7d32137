/// Whole numbers of the command line.
enum WholeNumber {
    /// Reads decimal digits, for the parser: `+1`, `1e3`, `0x1`, `1,000` and fractions are refused. A number below zero
    /// is read where the type has such: what the option takes is its own affair.
    static func read<Number: FixedWidthInteger>(_ text: String) throws(ArgumentError) -> Number {
        let isNegative = text.hasPrefix("-")
        let digits = isNegative ? text.dropFirst() : text[...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
            throw ArgumentError("use a whole number in decimal digits, as in 100")
        }
        guard let number = Number(text) else {
            guard !isNegative else { throw ArgumentError("use a number that is not below \(Number.min)") }
            throw ArgumentError("use a number up to \(Number.max)")
        }
        return number
    }
}
