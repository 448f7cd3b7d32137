/// What `emu check --device all --sequences N --json` prints: sequences spread over every kind of simulated device.
struct AllSequencesReport: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.checkSequencesAll

    /// One for each kind, in the order in which they were run, each with seeds of its own.
    var devices: [SequenceReport]
    /// Kinds that were not begun with, as the check ended before its end.
    var notChecked: [String]
    /// What else was wrong, such as a device that could not be made.
    var problems: [String]
    /// How many were asked for of the kinds that were begun with, and how many of them went as plain arrays say.
    var sequences: Int
    var passed: Int
    /// Whether somebody asked it to end before its end.
    var interrupted: Bool

    init(_ devices: [SequenceReport], notChecked: [String] = [], problems: [String] = []) {
        self.problems = problems
        self.devices = devices
        self.notChecked = notChecked
        sequences = devices.reduce(0) { $0 + $1.sequences }
        passed = devices.reduce(0) { $0 + $1.passed }
        interrupted = problems.isEmpty && (!notChecked.isEmpty || devices.contains(where: \.interrupted))
    }

    /// How many each of `kinds` gets, so that all get `count` and no kind more than another.
    static func share(of count: Int, kinds: Int) -> Int { count / kinds + (count % kinds == 0 ? 0 : 1) }

    /// What the command says with its status.
    var status: ExitStatus {
        notChecked.isEmpty && problems.isEmpty && devices.allSatisfy { $0.status == .done }
            ? .done : .foundSomethingWrong
    }

    /// The last lines for a person.
    var verdict: String {
        let differing = devices.filter { $0.failure != nil }.map(\.device)
        let line =
            "\(devices.count) kinds of simulated device: \(NumberText.grouped(passed)) of"
            + " \(NumberText.grouped(sequences)) sequences as plain arrays say"
            + (differing.isEmpty ? "" : "; \(differing.joined(separator: " ")) DIFFERS")
        var lines = [line] + problems.map { "WRONG: \($0)" }
        if !notChecked.isEmpty {
            lines.append(
                (interrupted ? "INTERRUPTED: " : "") + "not checked: \(notChecked.joined(separator: " "))")
        }
        return lines.joined(separator: "\n")
    }
}
