/// A rule, and what became of it on a device.
public struct RuleReport: Sendable {
    /// What was asked.
    public let rule: Rule
    /// What the device answered, or why it was not asked.
    public let outcome: RuleOutcome
}

extension RuleReport: CustomStringConvertible {
    /// One line: the rule's number and title, and the outcome.
    public var description: String {
        let words =
            switch outcome {
            case .passed: "passed"
            case .failed(let expected, let seen): "failed: expected \(expected), saw \(seen)"
            case .notApplicable(let reason): "not applicable: \(reason)"
            case .notAsked(let reason): "not asked: \(reason)"
            }
        return "\(rule.number). \(rule.title): \(words)"
    }
}
