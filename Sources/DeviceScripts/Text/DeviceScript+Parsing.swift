extension DeviceScript {
    /// Reads a script's text. The whole text is read before anything is done with it. Lines end as on any system; a byte
    /// order mark before the first is none of its.
    ///
    /// - Throws: The first line that is none.
    public init(parsing text: String) throws(ScriptTextError) {
        var lines: [Line] = []
        let parts = text.drop { $0 == "\u{feff}" }.split(omittingEmptySubsequences: false) { Line.isEnd($0) }
        for (index, line) in parts.enumerated() {
            do throws(ScriptLineError) {
                lines.append(try Line(parsing: line))
            } catch {
                throw ScriptTextError(line: index + 1, reason: error.reason)
            }
        }
        // What stands behind the last line's end is no line.
        if lines.last == Line(nil) { lines.removeLast() }
        self.init(lines: lines)
    }
}

/// Why a line is no step.
struct ScriptLineError: Error { let reason: String }

extension DeviceScript.Line {
    init(parsing text: Substring) throws(ScriptLineError) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let comment = parts.count == 2 ? String(parts[1].drop { $0 == " " }) : nil
        let words = parts[0].split { $0 == " " || $0 == "\t" }
        guard !words.isEmpty else {
            self.init(nil, comment: comment)
            return
        }
        let arrow = words.firstIndex(of: "->")
        guard arrow != words.startIndex else {
            throw ScriptLineError(reason: "a call is expected before '->', as GET_STATUS -> 0x0")
        }
        let step = try ScriptLineReader.step(words[..<(arrow ?? words.endIndex)])
        guard let arrow else {
            self.init(step, comment: comment)
            return
        }
        guard words.count == arrow + 2 else {
            throw ScriptLineError(reason: "one answer is expected behind '->'")
        }
        self.init(step, expecting: try ScriptLiteral.expectation(words[arrow + 1]), comment: comment)
    }
}
