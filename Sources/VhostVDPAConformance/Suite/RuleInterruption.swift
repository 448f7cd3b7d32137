/// Why a rule's action ended before its end.
package enum RuleInterruption: Error, Hashable, Sendable {
    /// The device answered otherwise.
    case failed(expected: String, seen: String)
    /// It turned out on the way that the device cannot be asked.
    case notApplicable(reason: String)
}
