internal import VhostVDPAConformance

/// A rule's outcome as people read it.
enum CheckLine {
    static func text(_ rule: Rule, _ outcome: RuleOutcome) -> String {
        let number = String(repeating: " ", count: max(0, 5 - "\(rule.number)".count)) + "\(rule.number)"
        switch outcome {
        case .passed: return "\(number)  passed  \(rule.title)"
        case .notApplicable(let reason): return "\(number)  n/a     \(rule.title)\n               (\(reason))"
        case .notAsked(let reason):
            return "\(number)  NOT ASKED  \(rule.title)\n               (\(reason))"
        case .failed(let expected, let seen):
            return "\(number)  FAILED  \(rule.title)\n               expected  \(expected)"
                + "\n               seen      \(seen)"
        }
    }
}
