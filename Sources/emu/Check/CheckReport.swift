internal import VhostVDPAConformance

/// What `emu check --json` prints.
struct CheckReport: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.check

    /// One rule; of the last three only what its outcome has.
    struct Entry: Codable, Equatable, Sendable {
        enum Outcome: String, Codable, Sendable { case passed, failed, notApplicable, notAsked }

        var number: Int
        var title: String
        var outcome: Outcome
        var expected: String?
        var seen: String?
        var reason: String?
    }

    var device: String
    var rules: [Entry]
    var passed: Int
    var failed: Int
    var notApplicable: Int
    /// Rules that could not be asked, as this process or the machine lacks something: nothing is known of them.
    var notAsked: Int
    /// Rules that were asked for and not run, as the check ended before its end.
    var notRun: Int
    /// Whether somebody asked it to.
    var interrupted: Bool
    /// `true` where every rule that was run is one of another kind of device, so that the counts say nothing of this one;
    /// left out elsewhere.
    var nothingChecked: Bool?
    /// What else was wrong, such as a device that went away.
    var problems: [String]

    init(
        device: String, results: [(rule: Rule, outcome: RuleOutcome)], asked: Int? = nil,
        interrupted: Bool = false, problems: [String] = []
    ) {
        self.device = device
        self.interrupted = interrupted
        self.problems = problems
        notRun = (asked ?? results.count) - results.count
        rules = results.map { Entry($0.rule, $0.outcome) }
        passed = rules.count { $0.outcome == .passed }
        failed = rules.count { $0.outcome == .failed }
        notApplicable = rules.count { $0.outcome == .notApplicable }
        notAsked = rules.count { $0.outcome == .notAsked }
        nothingChecked = !rules.isEmpty && notApplicable == rules.count ? true : nil
    }

    /// What the command says with its status: a check that is not over has not found that all is well.
    var status: ExitStatus {
        failed == 0 && notAsked == 0 && notRun == 0 && problems.isEmpty ? .done : .foundSomethingWrong
    }

    /// The last lines for a person.
    var verdict: String {
        var counts = "\(device): \(passed) passed, \(failed) failed, \(notApplicable) not applicable"
        if notAsked > 0 { counts += ", \(notAsked) could not be asked" }
        if notRun > 0 { counts += ", \(notRun) not run" }
        var lines = [counts] + problems.map { "WRONG: \($0)" }
        if notAsked > 0 {
            lines.append(
                "INCOMPLETE: the rules that could not be asked may fail; mend what their lines name and check again"
            )
        }
        if interrupted { lines.append("INTERRUPTED: the rules that were not run may fail") }
        if nothingChecked == true {
            lines.append("NOTHING CHECKED: no rule that was run says anything of this device")
        }
        return lines.joined(separator: "\n")
    }
}

extension CheckReport.Entry {
    init(_ rule: Rule, _ outcome: RuleOutcome) {
        number = rule.number
        title = rule.title
        switch outcome {
        case .passed: self.outcome = .passed
        case .failed(let expected, let seen):
            self.outcome = .failed
            self.expected = expected
            self.seen = seen
        case .notApplicable(let reason):
            self.outcome = .notApplicable
            self.reason = reason
        case .notAsked(let reason):
            self.outcome = .notAsked
            self.reason = reason
        }
    }
}
