internal import FoundationEssentials

/// Results as JSON: one object, keys sorted, so that two runs compare line by line.
enum JSONText {
    static func encode(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            // Only a value JSON cannot carry, such as an infinite number, gets here: reports hold none.
            preconditionFailure("a report that JSON cannot carry: \(error)")
        }
    }
}
