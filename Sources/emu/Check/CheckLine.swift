internal import VhostVDPAConformance

/// A rule's outcome as people read it.
enum CheckLine {
    /// The line of a rule that is not as it should be; `nil` of the others.
    static func complaint(_ rule: CheckReport.Entry) -> String? {
        switch rule.outcome {
        case .passed, .notApplicable: nil
        case .failed, .notAsked: text(rule)
        }
    }

    static func text(_ rule: Rule, _ outcome: RuleOutcome) -> String {
        text(CheckReport.Entry(rule, outcome))
    }

    static func text(_ rule: CheckReport.Entry) -> String {
        let number = String(repeating: " ", count: max(0, 5 - "\(rule.number)".count)) + "\(rule.number)"
        switch rule.outcome {
        case .passed: return "\(number)  passed  \(rule.title)"
        case .notApplicable: return "\(number)  n/a     \(rule.title)\n               (\(rule.reason ?? ""))"
        case .notAsked: return "\(number)  NOT ASKED  \(rule.title)\n               (\(rule.reason ?? ""))"
        case .failed:
            return "\(number)  FAILED  \(rule.title)\n               expected  \(rule.expected ?? "")"
                + "\n               seen      \(rule.seen ?? "")"
        }
    }
}
