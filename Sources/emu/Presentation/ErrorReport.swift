/// Why there is no result, as every command prints it with `--json`.
struct ErrorReport: JSONResult, Codable, Equatable, Sendable {
    static let schema = JSONSchema.error

    /// What, why and what to do, in one line.
    let error: String
    /// Whether a signal ended the command before it had a result.
    let interrupted: Bool
}
