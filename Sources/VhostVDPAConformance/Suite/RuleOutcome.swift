/// What became of a rule on a device.
package enum RuleOutcome: Hashable, Sendable {
    case passed
    case failed(expected: String, seen: String)
    /// The device cannot be asked; never counted as passed.
    case notApplicable(reason: String)
}
