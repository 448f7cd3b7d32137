/// Why a text is no device script: which line, and what is wrong with it.
public struct ScriptTextError: Error, Hashable, Sendable {
    /// The line's number, the first is 1.
    public let line: Int
    /// What is wrong, and what may stand there.
    public let reason: String
}

extension ScriptTextError: CustomStringConvertible {
    /// The line and the reason.
    public var description: String { "line \(line): \(reason)" }
}
