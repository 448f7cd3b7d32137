/// Why a rule's action ended before its end.
public enum RuleInterruption: Error, Hashable, Sendable {
    /// The device answered otherwise.
    case failed(expected: String, seen: String)
    /// It turned out on the way that the rule says nothing of this device.
    case notApplicable(reason: String)
    /// The one who asks lacks something: what is missing and what to do about it.
    case notAsked(reason: String)
}

extension RuleInterruption: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .failed(let expected, let seen): "expected \(expected), saw \(seen)"
        case .notApplicable(let reason), .notAsked(let reason): reason
        }
    }
}
