/// Why a rule's action ended before its end.
package enum RuleInterruption: Error, Hashable, Sendable {
    /// The device answered otherwise.
    case failed(expected: String, seen: String)
    /// It turned out on the way that the device cannot be asked.
    case notApplicable(reason: String)
}

extension RuleInterruption: CustomStringConvertible {
    /// One line for people.
    package var description: String {
        switch self {
        case .failed(let expected, let seen): "expected \(expected), saw \(seen)"
        case .notApplicable(let reason): reason
        }
    }
}
