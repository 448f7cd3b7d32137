internal import VhostVDPAConformance

/// What `emu check --json` prints.
struct CheckReport: Codable, Equatable, Sendable {
    /// One rule; of the last three only what its outcome has.
    struct Entry: Codable, Equatable, Sendable {
        enum Outcome: String, Codable, Sendable { case passed, failed, notApplicable }

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

    init(device: String, results: [(rule: Rule, outcome: RuleOutcome)]) {
        self.device = device
        rules = results.map { Entry($0.rule, $0.outcome) }
        passed = rules.count { $0.outcome == .passed }
        failed = rules.count { $0.outcome == .failed }
        notApplicable = rules.count { $0.outcome == .notApplicable }
    }
}

extension CheckReport.Entry {
    fileprivate init(_ rule: Rule, _ outcome: RuleOutcome) {
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
        }
    }
}
