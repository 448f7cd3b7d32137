internal import GuestMemory

/// Numbers and names as tables and figures show them.
package enum FigureText {
    /// Microseconds with three significant digits, in the unit that people would use: the unit of the rounded value, so
    /// that 999.6 µs are 1 ms.
    package static func time(_ microseconds: Double) -> String {
        let (value, unit) =
            microseconds >= 999_500
            ? (microseconds / 1e6, "s")
            : microseconds >= 999.5 ? (microseconds / 1e3, "ms") : (microseconds, "µs")
        return "\(short(value)) \(unit)"
    }

    /// Three significant digits, no exponent.
    package static func short(_ value: Double) -> String {
        if value >= 100 { return grouped(Int(value.rounded())) }
        let scale = value >= 10 ? 10.0 : 100.0
        let scaled = Int((value * scale).rounded())
        let fraction = scaled % Int(scale)
        if fraction == 0 { return "\(scaled / Int(scale))" }
        var digits = String(fraction + Int(scale)).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return "\(scaled / Int(scale)).\(digits)"
    }

    /// `12345` as `12,345`.
    package static func grouped(_ number: Int) -> String {
        var text = ""
        for (index, digit) in String(number.magnitude).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return (number < 0 ? "-" : "") + String(text.reversed())
    }

    /// `1G` as `1 GiB`.
    package static func memory(_ bytes: UInt64) -> String {
        let text = "\(ByteCount(rawValue: bytes))"
        guard let unit = text.last, unit.isLetter else { return "\(text) B" }
        return "\(text.dropLast()) \(unit)iB"
    }

    /// A coordinate with one digit behind the point.
    static func coordinate(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths.isMultiple(of: 10)
            ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }

    /// Text without the characters that mean something in HTML.
    static func escaped(_ text: String) -> String {
        text.map { character in
            switch character {
            case "&": "&amp;"
            case "<": "&lt;"
            case ">": "&gt;"
            case "\"": "&quot;"
            default: String(character)
            }
        }.joined()
    }
}
