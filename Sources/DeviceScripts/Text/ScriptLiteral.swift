internal import GuestMemory

/// Values as a script writes them, read.
enum ScriptLiteral {
    /// A word as a message shows it: not longer than a line, and without what a terminal would act on.
    static func shown(_ word: some StringProtocol) -> String {
        let scalars = word.unicodeScalars.prefix(shownCount).map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: Unicode.Scalar(0xfffd) ?? "?"
            default: scalar
            }
        }
        let isWhole = word.unicodeScalars.dropFirst(shownCount).isEmpty
        return String(String.UnicodeScalarView(scalars)) + (isWhole ? "" : "…")
    }

    private static let shownCount = 40

    static func noNumber(_ word: Substring) -> ScriptLineError {
        ScriptLineError(reason: "'\(shown(word))' is no number: decimal, or hexadecimal behind 0x")
    }

    static func number(_ word: Substring) -> UInt64? {
        word.hasPrefix("0x") ? UInt64(word.dropFirst(2), radix: 16) : UInt64(word)
    }

    static func bytes(_ word: Substring) throws(ScriptLineError) -> [UInt8] {
        let digits = word.utf8.map {
            Character(Unicode.Scalar($0)).hexDigitValue.flatMap(UInt8.init(exactly:))
        }
        guard digits.count % 2 == 0, digits.allSatisfy({ $0 != nil }) else {
            throw ScriptLineError(reason: "'\(shown(word))' is no bytes: two hexadecimal digits for each")
        }
        return stride(from: 0, to: digits.count, by: 2).map { (digits[$0] ?? 0) << 4 | (digits[$0 + 1] ?? 0) }
    }

    static func expectation(_ word: Substring) throws(ScriptLineError) -> ScriptExpectation {
        guard word.hasPrefix("?") else { return .exactly(try answer(word)) }
        let answer = try answer(word.dropFirst())
        guard answer.isSuccess else {
            throw ScriptLineError(reason: "behind '?' stands what succeeded, no error")
        }
        return .anySuccess(seen: answer)
    }

    static func answer(_ word: Substring) throws(ScriptLineError) -> ScriptAnswer {
        if word == "ok" { return .ok }
        if word.hasPrefix("bytes=") { return .bytes(try bytes(word.dropFirst(6))) }
        if let number = number(word) { return .number(number) }
        if let errno = ErrnoName.errno(word) { return .error(errno) }
        let ends = word.split(separator: "..", omittingEmptySubsequences: false).map(number)
        if ends.count == 2, let first = ends[0], let last = ends[1] {
            return .range(first: first, last: last)
        }
        throw ScriptLineError(
            reason:
                "'\(shown(word))' is no answer: ok, a number, 0x0..0xff, bytes=…, an error as EINVAL; '?' before it takes"
                + " any other success")
    }

    static func name(_ word: Substring) throws(ScriptLineError) -> ScriptName {
        guard let name = ScriptName(rawValue: String(word)), !["none", "closed", "null"].contains(word) else {
            throw ScriptLineError(
                reason:
                    "'\(shown(word))' is no name: letters, digits, - and _, a letter first; none, closed and null are taken"
            )
        }
        return name
    }

    static func pointer(_ word: Substring) throws(ScriptLineError) -> ScriptPointer {
        if word == "null" { return .number(HostAddress(rawValue: 0)) }
        if let number = number(word) { return .number(HostAddress(rawValue: number)) }
        let sides = word.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else { return .memory(try name(sides[0]), offset: 0) }
        guard let offset = number(sides[1]) else { throw noNumber(sides[1]) }
        return .memory(try name(sides[0]), offset: offset)
    }
}
