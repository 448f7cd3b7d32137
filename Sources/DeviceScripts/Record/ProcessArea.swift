/// A part of this process's address space that permits one thing: a line of `/proc/self/maps`, or several that follow each
/// other.
struct ProcessArea: Hashable {
    var range: Range<UInt64>
    /// What its pages permit.
    let protection: ScriptProtection
    /// Whether it is mapped MAP_SHARED.
    let isShared: Bool

    /// The areas of the text of such a file that have an address of `range`, whole, lowest first. Takes time in proportion to
    /// all of them, which ascend; only those of the range are looked at closer.
    static func among(_ text: String, in range: Range<UInt64>) -> [ProcessArea] {
        var areas: [ProcessArea] = []
        var rest = text.utf8[...]
        while !rest.isEmpty {
            let line = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest[line.endIndex...].dropFirst()
            guard let ends = ends(of: line) else { continue }
            if ends.start >= range.upperBound { break }
            if ends.end > range.lowerBound, let area = ProcessArea(line: line) { areas.append(area) }
        }
        return areas
    }

    /// The two numbers that a line begins with. No string is made of them: there may be tens of thousands of lines.
    private static func ends(of line: Substring.UTF8View) -> (start: UInt64, end: UInt64)? {
        var (start, end) = (UInt64(0), UInt64(0))
        var isEnd = false
        for byte in line {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "-") where !isEnd:
                isEnd = true
                continue
            default: return isEnd ? (start, end) : nil
            }
            if isEnd { end = end << 4 | UInt64(digit) } else { start = start << 4 | UInt64(digit) }
        }
        return nil
    }

    /// Reads a line as `7f00-7f10 rw-s 00000000 00:01 2048 /memfd:ram`.
    init?(line: Substring.UTF8View) {
        let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2).map { Substring($0) }
        guard words.count >= 2 else { return nil }
        let ends = words[0].split(separator: "-").map { UInt64($0, radix: 16) }
        guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else { return nil }
        let permissions = Array(words[1].utf8)
        guard permissions.count == 4 else { return nil }
        let (isReadable, isWritable) = (
            permissions[0] == UInt8(ascii: "r"), permissions[1] == UInt8(ascii: "w")
        )
        self.init(
            range: start..<end, protection: isWritable ? .write : isReadable ? .read : .none,
            isShared: permissions[3] == UInt8(ascii: "s"))
    }

    init(range: Range<UInt64>, protection: ScriptProtection, isShared: Bool) {
        self.range = range
        self.protection = protection
        self.isShared = isShared
    }
}

extension [ProcessArea] {
    /// What of them lies in `range`. Two that follow each other and permit the same are one.
    func clipped(to range: Range<UInt64>) -> [ProcessArea] {
        var parts: [ProcessArea] = []
        for area in self {
            var part = area
            part.range = area.range.clamped(to: range)
            guard !part.range.isEmpty else { continue }
            if let last = parts.last, last.range.upperBound == part.range.lowerBound,
                last.protection == part.protection, last.isShared == part.isShared
            {
                parts[parts.count - 1].range = last.range.lowerBound..<part.range.upperBound
            } else {
                parts.append(part)
            }
        }
        return parts
    }
}
