/// Why a listener refused a memory transaction.
public struct MemoryListenerError: Error, Sendable, CustomStringConvertible {
    /// The listener's own error, which says what, why and what to do.
    public let underlying: any Error

    /// Wraps the listener's own error.
    public init(_ underlying: any Error) { self.underlying = underlying }

    /// The listener's own error, as it prints itself.
    public var description: String { "\(underlying)" }
}
