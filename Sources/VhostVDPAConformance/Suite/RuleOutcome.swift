/// What became of a rule on a device.
package enum RuleOutcome: Hashable, Sendable {
    case passed
    case failed(expected: String, seen: String)
    /// The device is none that the rule says anything of; never counted as passed.
    case notApplicable(reason: String)
    /// The device might be asked, and could not be: this process, or the machine, is short of something. Nothing is
    /// known of the rule then.
    case notAsked(reason: String)
}
