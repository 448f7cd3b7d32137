internal import DeviceScripts

/// What `emu replay --json` prints.
struct ReplayReport: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.replay

    /// A call that did not answer as it was to.
    struct Difference: Codable, Equatable, Sendable {
        /// The line of ``ReplayReport/script``, from 1.
        var line: Int
        var call: String
        var expected: String
        var seen: String
    }

    var device: String
    /// The second device; left out where the script's own expectations counted.
    var against: String?
    /// How many calls the device answered.
    var calls: Int
    /// How many of those answers were held against another one.
    var compared: Int
    var differences: [Difference]
    /// The script that was played, or the shortest part of it that shows a difference, with the device's answers.
    var script: String
    /// Whether somebody asked it to end before its end.
    var interrupted: Bool
    /// What else was wrong, such as a device that went away.
    var problems: [String]

    /// What the command says with its status.
    var status: ExitStatus {
        differences.isEmpty && !interrupted && problems.isEmpty ? .done : .foundSomethingWrong
    }

    /// The last lines for a person, each a comment of the script that is printed.
    var verdict: String {
        let outcome =
            compared == 0
            ? "no answer compared"
            : "\(NumberText.grouped(compared)) \(compared == 1 ? "answer" : "answers")"
                + " \(against.map { "compared with \($0)" } ?? "expected"),"
                + " \(differences.isEmpty ? "none" : NumberText.grouped(differences.count)) \(differences.count > 1 ? "differ" : "differs")"
        var lines = [
            "\(device): \(NumberText.grouped(calls)) \(calls == 1 ? "call" : "calls"), \(outcome)"
        ]
        lines += problems.map { "WRONG: \($0)" }
        if compared == 0, !interrupted {
            lines.append(
                "NOTHING COMPARED: the script expects no answer; a line takes one behind '->', and --against compares two devices"
            )
        }
        if interrupted {
            lines.append(
                differences.isEmpty
                    ? "INTERRUPTED: the calls that were not made may differ"
                    : "INTERRUPTED: the calls that were not made may differ, too, and fewer may show a difference"
            )
        }
        return lines.map { "# \($0)" }.joined(separator: "\n")
    }
}

extension DeviceScript.Line {
    /// The line as a device answered it, with its difference in words.
    func answered(_ answer: ScriptAnswer, otherThan expected: String?) -> Self {
        var line = self
        switch expectation {
        case .anySuccess where answer.isSuccess: line.expectation = .anySuccess(seen: answer)
        // What the process does to itself succeeds, and that is not worth a word.
        case nil where answer == .ok && step?.isProcessOwn == true: break
        default: line.expectation = .exactly(answer)
        }
        // What an earlier replay said is no more.
        let kept = comment?.split(separator: Self.mark, maxSplits: 1, omittingEmptySubsequences: false).first
            .map {
                $0.hasSuffix(Self.separator) ? $0.dropLast(Self.separator.count) : $0
            }
        let words = [kept.map(String.init), expected.map { Self.mark + $0 }].compactMap(\.self).filter {
            !$0.isEmpty
        }
        line.comment = words.isEmpty ? nil : words.joined(separator: Self.separator)
        return line
    }

    private static let mark = "DIFFERS: "
    private static let separator = "; "
}

extension ScriptStep {
    /// Whether it is done to the script's process and no call on a device.
    fileprivate var isProcessOwn: Bool {
        switch self {
        case .memory, .protect, .unmap, .store, .load, .eventFD, .signal, .take, .settle, .pause: true
        case .open, .close, .request, .message, .write, .writeFrom, .map, .ring: false
        }
    }
}
