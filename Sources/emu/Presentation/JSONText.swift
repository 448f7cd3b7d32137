internal import FoundationEssentials

/// Results as JSON: one object that names its schema, keys sorted, so that two runs compare line by line.
enum JSONText {
    static func encode(_ result: some JSONResult) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(Envelope(result: result)), as: UTF8.self)
        } catch {
            // Only a value JSON cannot carry, such as an infinite number, gets here: reports hold none.
            preconditionFailure("a report that JSON cannot carry: \(error)")
        }
    }

    /// A result's own fields, and beside them what they are.
    private struct Envelope<Result: JSONResult>: Encodable {
        let result: Result

        private enum Key: String, CodingKey { case schema, schemaVersion }

        func encode(to encoder: any Encoder) throws {
            try result.encode(to: encoder)
            // A second keyed container of one encoder adds to the same object (Encoder.container(keyedBy:)).
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(Result.schema.rawValue, forKey: .schema)
            try container.encode(Result.schema.version, forKey: .schemaVersion)
        }
    }
}
