internal import FoundationEssentials

extension JSONText {
    /// Why a text is not the result that was looked for, in words that go after the text's name.
    struct Refusal: Error, Hashable, CustomStringConvertible {
        let description: String
    }

    /// Reads a result that ``encode(_:)`` has written, and nothing else: no object of another schema or version.
    static func decode<Result: JSONResult & Decodable>(
        _ type: Result.Type, from bytes: [UInt8]
    ) throws(Refusal) -> Result {
        let data = Data(bytes)
        guard let name = try? JSONDecoder().decode(Name.self, from: data) else {
            throw Refusal(
                description: "it holds no JSON object that names its schema; give what emu --json printed")
        }
        guard name.schema == Result.schema.rawValue else {
            throw Refusal(
                description:
                    "it is of schema '\(name.schema)'; give one of schema '\(Result.schema.rawValue)'")
        }
        guard name.schemaVersion == Result.schema.version else {
            throw Refusal(
                description:
                    "it is of version \(name.schemaVersion) of schema '\(name.schema)'; this emu reads version"
                    + " \(Result.schema.version): make it anew")
        }
        do {
            return try JSONDecoder().decode(Result.self, from: data)
        } catch {
            throw Refusal(
                description: "it is not what schema '\(name.schema)' says\(place(error)): make it anew")
        }
    }

    /// What every result of ours says of itself.
    private struct Name: Decodable {
        let schema: String
        let schemaVersion: Int
    }

    /// Where a result is not what it should be.
    private static func place(_ error: any Error) -> String {
        let context: DecodingError.Context
        var last: (any CodingKey)?
        switch error as? DecodingError {
        case .keyNotFound(let key, let found): (last, context) = (key, found)
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found):
            context = found
        default: return ""
        }
        let keys = context.codingPath + [last].compactMap(\.self)
        guard !keys.isEmpty else { return "" }
        return " at " + keys.map { $0.intValue.map { "\($0)" } ?? $0.stringValue }.joined(separator: ".")
    }
}
