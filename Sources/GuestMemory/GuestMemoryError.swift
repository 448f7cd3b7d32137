public import SystemPackage

/// Why guest memory could not be made, filled or rearranged.
///
/// ``description`` is one line that says what failed, why and what to do; ``code`` is what a program tests.
public struct GuestMemoryError: Error, Sendable, CustomStringConvertible {
    /// The kinds of failure; more may follow.
    public struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's name.
        public let rawValue: String

        /// Makes a code of its name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// A size that no RAM block or machine can have.
        public static let invalidSize = Code(rawValue: "invalidSize")
        /// The kernel refused to make or map a RAM block.
        public static let allocationFailed = Code(rawValue: "allocationFailed")
        /// More memory was asked for than this machine has available.
        public static let notEnoughMemory = Code(rawValue: "notEnoughMemory")
        /// The kernel could not make a block's pages resident.
        public static let prefaultFailed = Code(rawValue: "prefaultFailed")
        /// Somebody asked to end before a block's pages were all resident.
        public static let cancelled = Code(rawValue: "cancelled")
        /// A region cannot stand where it was to be put, or is not where it was to be taken from.
        public static let invalidTopology = Code(rawValue: "invalidTopology")
        /// Guest addresses at which there is no memory, or none that permits the access.
        public static let outsideMemory = Code(rawValue: "outsideMemory")
        /// A listener refused a change; the memory map is as it was.
        public static let listenerRefused = Code(rawValue: "listenerRefused")
        /// A listener refused a change, and another one refused to go back.
        public static let rollbackFailed = Code(rawValue: "rollbackFailed")
    }

    /// The kind of failure.
    public let code: Code
    /// What failed, why and what to do, naming the block or region and its size or range.
    public let context: String
    /// The kernel's reason, where it gave one.
    public let errno: Errno?
    /// The listener's reason, where one refused.
    public let underlying: (any Error)?

    /// Makes an error of its parts.
    public init(code: Code, context: String, errno: Errno? = nil, underlying: (any Error)? = nil) {
        self.code = code
        self.context = context
        self.errno = errno
        self.underlying = underlying
    }

    /// The context, on one line.
    public var description: String { context }
}
