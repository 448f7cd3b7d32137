internal import DeviceScripts

/// What `emu replay --random --json` prints.
struct RandomReplayReport: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.replayRandom

    /// Differences that are alike: the same call, with answers of the same kind.
    struct Kind: Codable, Equatable, Sendable {
        var call: String
        var expected: String
        var seen: String
        /// In how many scripts it was seen first.
        var scripts: Int
        /// The seed of the first of them, in decimal digits: `--random 1 --seed` with this makes it again.
        var seed: String
        /// The shortest part of that script found that still shows it.
        var script: String
    }

    /// Answers that differ as a row of "Does not imitate" in docs/simulated-devices.md says.
    struct Known: Codable, Equatable, Sendable {
        var row: Int
        /// How many there were.
        var answers: Int
        /// The seed of the first script that showed one, in decimal digits.
        var seed: String
    }

    var device: String
    var against: String
    /// The first script's seed, in decimal digits; the next ones follow it.
    var seed: String
    /// How many scripts were asked for, and how many were played.
    var scripts: Int
    var played: Int
    var callsEach: Int
    /// How many calls were made on each device.
    var calls: Int
    /// How many of a hundred the device did not refuse.
    var successShare: Int
    /// How many answers were told apart: of each call, in each situation.
    var answers: Int
    /// Calls that were never made in a situation in which they can be.
    var neverAsked: [String]
    /// Differences that are no fault: a real device answers so, and a simulated one does not imitate it.
    var known: [Known]
    /// How many scripts showed any other difference.
    var differing: Int
    var kinds: [Kind]
    var interrupted: Bool
    var problems: [String]

    /// What the command says with its status.
    var status: ExitStatus {
        differing == 0 && !interrupted && problems.isEmpty ? .done : .foundSomethingWrong
    }

    /// The last lines for a person.
    var verdict: String {
        let count = NumberText.grouped(scripts)
        let done =
            played == scripts ? "\(count) scripts" : "\(NumberText.grouped(played)) of \(count) scripts"
        var lines = [
            "\(device): \(done) from seed \(seed), \(NumberText.grouped(calls)) calls also made on \(against):"
                + (differing == 0 ? " none differs" : " \(NumberText.grouped(differing)) scripts DIFFER")
        ]
        lines += known.map { known in
            "\(NumberText.grouped(known.answers)) \(known.answers == 1 ? "difference" : "differences") of row \(known.row) of"
                + " \"Does not imitate\" (docs/simulated-devices.md), first from seed \(known.seed)"
        }
        lines += kinds.map { kind in
            "DIFFERS in \(kind.scripts): \(kind.call) -> \(kind.seen), \(against) answers \(kind.expected); again:"
                + " emu replay --random 1 --calls \(callsEach) --seed \(kind.seed) --device \(device) --against \(against);"
                + " the shortest part of it that does:\n\(kind.script)"
        }
        lines += problems.map { "WRONG: \($0)" }
        if interrupted { lines.append("INTERRUPTED: the scripts that were not played may differ") }
        return lines.joined(separator: "\n")
    }
}
