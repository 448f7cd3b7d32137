/// What became of a rule on a device.
public enum RuleOutcome: Hashable, Sendable {
    /// The device does what the rule says.
    case passed
    /// The device does something else.
    case failed(expected: String, seen: String)
    /// The device is none that the rule says anything of; never counted as passed.
    case notApplicable(reason: String)
    /// The device might be asked, and could not be: this process, or the machine, is short of something. Nothing is
    /// known of the rule then.
    case notAsked(reason: String)

    /// Whether the device breaks the rule.
    public var isFailure: Bool {
        if case .failed = self { true } else { false }
    }
}
