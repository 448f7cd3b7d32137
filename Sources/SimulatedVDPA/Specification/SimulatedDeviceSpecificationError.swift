/// Why a device specification is refused: what, why, and what to write instead.
public struct SimulatedDeviceSpecificationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of objection; more may come.
    public enum Code: Hashable, Sendable {
        /// The text does not begin with `sim`.
        case notASimulatedDevice
        /// A key nobody knows.
        case unknownKey
        /// A key twice.
        case repeatedKey
        /// A value the key cannot have.
        case invalidValue
        /// Values that cannot exist together.
        case contradiction
        /// Planned, and not built.
        case notYet
    }

    /// The kind of objection.
    public let code: Code
    /// One line for a person.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
