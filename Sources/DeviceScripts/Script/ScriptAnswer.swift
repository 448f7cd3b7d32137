public import SystemPackage

/// What a step came to.
public enum ScriptAnswer: Hashable, Sendable {
    /// It succeeded, and says no more.
    case ok
    /// It succeeded with a number.
    case number(UInt64)
    /// It succeeded with two: the ends of a range.
    case range(first: UInt64, last: UInt64)
    /// It succeeded with bytes.
    case bytes([UInt8])
    /// It was refused.
    case error(Errno)

    /// Whether it was not refused.
    public var isSuccess: Bool { if case .error = self { false } else { true } }
}

/// What a step is expected to answer.
public enum ScriptExpectation: Hashable, Sendable {
    /// Exactly this.
    case exactly(ScriptAnswer)
    /// Success. The value was this when it was recorded, and another one is no difference: it depends on frames, on
    /// time.
    case anySuccess(seen: ScriptAnswer)

    /// The expectation as it stands behind `->` of `step`'s line.
    public func text(of step: ScriptStep) -> String { ScriptText.text(self, of: step) }

    /// Whether an answer is what was expected.
    public func holds(_ answer: ScriptAnswer) -> Bool {
        switch self {
        case .exactly(let expected): expected == answer
        case .anySuccess: answer.isSuccess
        }
    }
}
