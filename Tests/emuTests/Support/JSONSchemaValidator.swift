import Foundation
import Testing

@testable import emu

/// Holds JSON to a schema of `docs/json-schema` (JSON Schema, draft 2020-12).
///
/// It knows the keywords that those schemas use and no others: a schema that asks for something else is refused, so that
/// none can ask for what is not checked. And it is stricter than they are: an object whose fields are named has no others.
/// Outside a field that comes later is taken, here it is one that the schema has forgotten. What stands below `allOf`, `if`,
/// `then` and `else` says more of an object that is described already, and of none but its fields.
struct JSONSchemaValidator {
    /// Why a schema cannot be used.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
    }

    typealias Keywords = [String: JSONValue]

    /// Every schema in the file, itself first, with the place where it stands.
    let schemas: [(place: String, keywords: Keywords)]

    private static let types: Set = [
        "null", "boolean", "integer", "number", "string", "array", "object",
    ]
    private static let patterns: [String: @Sendable (String) -> Bool] = [
        "^0x[0-9a-f]+$": { $0.hasPrefix("0x") && $0.count > 2 && isOf("0123456789abcdef", $0.dropFirst(2)) },
        "^[0-9]+$": { !$0.isEmpty && isOf("0123456789", $0[...]) },
    ]

    /// The schema of what `emu` prints as `schema`.
    init(_ schema: JSONSchema) throws { try self.init(file: Self.file(of: schema)) }

    init(file: URL) throws {
        try self.init(JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: file)))
    }

    init(_ schema: JSONValue) throws(Refusal) {
        var schemas: [(place: String, keywords: Keywords)] = []
        try Self.collect(schema, "#", into: &schemas)
        self.schemas = schemas
        for (place, keywords) in schemas {
            if let name = keywords["$ref"]?.text, definition(name) == nil {
                throw Refusal(description: "\(place): no \(name)")
            }
        }
    }

    /// Where the schemas are.
    static var folder: URL {
        var folder = URL(filePath: #filePath).deletingLastPathComponent()
        while !FileManager.default.fileExists(atPath: folder.appending(path: "Package.swift").path) {
            precondition(folder.path != "/", "no package above \(#filePath)")
            folder = folder.deletingLastPathComponent()
        }
        return folder.appending(path: "docs/json-schema")
    }

    static func file(of schema: JSONSchema) -> URL {
        folder.appending(path: "\(schema.rawValue).schema.json")
    }

    // MARK: The schema

    /// `described` are the fields of the object that a condition says more of.
    private static func collect(
        _ schema: JSONValue, _ place: String, describing described: Keywords? = nil,
        into schemas: inout [(place: String, keywords: Keywords)]
    ) throws(Refusal) {
        guard let keywords = schema.members else {
            throw Refusal(description: "\(place): \(schema.typeName), expected a schema")
        }
        schemas.append((place, keywords))
        let fields = described ?? keywords["properties"]?.members ?? [:]
        for (keyword, value) in keywords.sorted(by: { $0.key < $1.key }) {
            let place = "\(place)/\(keyword)"
            switch keyword {
            case "$defs", "properties":
                guard let members = value.members else {
                    throw Refusal(description: "\(place): no schemas by name")
                }
                for (name, schema) in members.sorted(by: { $0.key < $1.key }) {
                    if described != nil, keyword == "properties" {
                        guard let field = fields[name]?.members else {
                            throw Refusal(description: "\(place)/\(name): no such field")
                        }
                        if schema == .bool(false) { continue }
                        try collect(
                            schema, "\(place)/\(name)", describing: field["properties"]?.members ?? [:],
                            into: &schemas)
                    } else {
                        try collect(schema, "\(place)/\(name)", into: &schemas)
                    }
                }
            case "allOf":
                guard let parts = value.items, !parts.isEmpty else {
                    throw Refusal(description: "\(place): no schemas")
                }
                for (index, part) in parts.enumerated() {
                    try collect(part, "\(place)/\(index)", describing: fields, into: &schemas)
                }
            case "if", "then", "else":
                guard described != nil, keywords["if"] != nil, keywords["then"] ?? keywords["else"] != nil
                else {
                    throw Refusal(description: "\(place): half a condition, or one outside of allOf")
                }
                try collect(value, place, describing: fields, into: &schemas)
            case "items": try collect(value, place, into: &schemas)
            case "additionalProperties" where value == .bool(false): break
            case "additionalProperties": try collect(value, place, into: &schemas)
            default:
                guard isKnown(keyword, value, fields: fields) else {
                    throw Refusal(description: "\(place): nothing checks this")
                }
            }
        }
    }

    /// Whether `keyword` is checked with such a value.
    private static func isKnown(_ keyword: String, _ value: JSONValue, fields: Keywords) -> Bool {
        switch keyword {
        case "$schema", "$id", "title", "description", "$ref": value.text != nil
        case "const": true
        case "enum": value.items?.isEmpty == false
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum": value.double != nil
        case "minItems", "maxItems": value.double.map { $0 >= 0 && $0 == $0.rounded() } ?? false
        case "pattern": value.text.map { patterns[$0] != nil } ?? false
        case "type": Set(typeNames(value)).isSubset(of: types) && !typeNames(value).isEmpty
        case "required":
            value.items?.allSatisfy { $0.text.map { fields[$0] != nil } ?? false } ?? false
        default: false
        }
    }

    private static func typeNames(_ value: JSONValue) -> [String] {
        (value.items ?? [value]).map { $0.text ?? "" }
    }

    private func definition(_ name: String) -> Keywords? {
        schemas.first { $0.place == name && name.hasPrefix("#/$defs/") }?.keywords
    }

    // MARK: A value

    /// Each place where `value` is not what the schema says, as `$.packets.sent: string, expected integer`.
    func violations(in value: JSONValue) -> [String] {
        var found: [String] = []
        check(value, schemas[0].keywords, "$", &found)
        return found
    }

    /// `isPart` of what says more of an object that another schema describes.
    private func check(
        _ value: JSONValue, _ schema: Keywords, _ place: String, isPart: Bool = false, _ found: inout [String]
    ) {
        if let name = schema["$ref"]?.text, let definition = definition(name) {
            check(value, definition, place, &found)
        }
        if let type = schema["type"] {
            let names = Self.typeNames(type)
            guard
                names.contains(value.typeName)
                    || (value.typeName == "integer" && names.contains("number"))
            else {
                found.append(
                    "\(place): \(value.typeName), expected \(names.joined(separator: " or "))")
                return
            }
        }
        if let constant = schema["const"], value != constant {
            found.append("\(place): \(value), expected \(constant)")
        }
        if let words = schema["enum"]?.items, !words.contains(value) {
            found.append("\(place): \(value), expected one of \(words)")
        }
        if let number = value.double { found += violations(of: number, schema, place) }
        if let pattern = schema["pattern"]?.text, let text = value.text,
            Self.patterns[pattern]?(text) == false
        {
            found.append("\(place): '\(text)', expected \(pattern)")
        }
        if let items = value.items { found += violations(of: items, schema, place) }
        if let members = value.members { check(members, schema, place, isPart: isPart, &found) }
        for part in schema["allOf"]?.items?.compactMap(\.members) ?? [] {
            check(value, part, place, isPart: true, &found)
        }
        guard let condition = schema["if"]?.members else { return }
        var unmet: [String] = []
        check(value, condition, place, isPart: true, &unmet)
        if let part = schema[unmet.isEmpty ? "then" : "else"]?.members {
            check(value, part, place, isPart: true, &found)
        }
    }

    private func violations(of items: [JSONValue], _ schema: Keywords, _ place: String) -> [String] {
        var found: [String] = []
        if let least = schema["minItems"]?.double, Double(items.count) < least {
            found.append("\(place): \(items.count) items, expected \(least) at the least")
        }
        if let most = schema["maxItems"]?.double, Double(items.count) > most {
            found.append("\(place): \(items.count) items, expected \(most) at the most")
        }
        if let schema = schema["items"]?.members {
            for (index, item) in items.enumerated() { check(item, schema, "\(place)[\(index)]", &found) }
        }
        return found
    }

    private func violations(of number: Double, _ schema: Keywords, _ place: String) -> [String] {
        var found: [String] = []
        if let minimum = schema["minimum"]?.double, number < minimum {
            found.append("\(place): \(number), expected \(minimum) at the least")
        }
        if let maximum = schema["maximum"]?.double, number > maximum {
            found.append("\(place): \(number), expected \(maximum) at the most")
        }
        if let limit = schema["exclusiveMinimum"]?.double, number <= limit {
            found.append("\(place): \(number), expected more than \(limit)")
        }
        if let limit = schema["exclusiveMaximum"]?.double, number >= limit {
            found.append("\(place): \(number), expected less than \(limit)")
        }
        return found
    }

    private func check(
        _ members: Keywords, _ schema: Keywords, _ place: String, isPart: Bool, _ found: inout [String]
    ) {
        for name in schema["required"]?.items ?? [] {
            if let name = name.text, members[name] == nil { found.append("\(place): no \(name)") }
        }
        let properties = schema["properties"]?.members ?? [:]
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            let place = "\(place).\(name)"
            if properties[name] == .bool(false) {
                found.append("\(place): it is not to be there")
            } else if let property = properties[name]?.members {
                check(member, property, place, isPart: isPart, &found)
            } else if isPart {
                continue
            } else if let other = schema["additionalProperties"]?.members {
                check(member, other, place, &found)
            } else if schema["additionalProperties"] != nil || schema["properties"] != nil {
                found.append("\(place): nothing is said of it")
            }
        }
    }

    private static func isOf(_ digits: String, _ text: Substring) -> Bool {
        text.allSatisfy { digits.contains($0) }
    }
}

extension JSONResult where Self: Decodable {
    /// Reads a result back from `json`, which must be what its schema says.
    static func read(_ json: String) throws -> Self {
        let data = Data(json.utf8)
        let value = try #require(try? JSONDecoder().decode(JSONValue.self, from: data), "no JSON: \(json)")
        try #require(try JSONSchemaValidator(schema).violations(in: value) == [])
        return try JSONDecoder().decode(Self.self, from: data)
    }
}
