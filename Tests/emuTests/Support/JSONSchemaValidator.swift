import Foundation
import Testing

@testable import emu

/// Holds JSON to a schema of `docs/json-schema` (JSON Schema, draft 2020-12).
///
/// It knows the keywords that those schemas use and no others: a schema that asks for something else is refused, so that
/// none can ask for what is not checked. And it is stricter than they are: an object whose fields are named has no others.
/// Outside a field that comes later is taken, here it is one that the schema has forgotten.
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
    private static let hexadecimal = "^0x[0-9a-f]+$"

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

    private static func collect(
        _ schema: JSONValue, _ place: String, into schemas: inout [(place: String, keywords: Keywords)]
    ) throws(Refusal) {
        guard let keywords = schema.members else {
            throw Refusal(description: "\(place): \(schema.typeName), expected a schema")
        }
        schemas.append((place, keywords))
        for (keyword, value) in keywords.sorted(by: { $0.key < $1.key }) {
            let place = "\(place)/\(keyword)"
            switch keyword {
            case "$defs", "properties":
                guard let members = value.members else {
                    throw Refusal(description: "\(place): no schemas by name")
                }
                for (name, schema) in members.sorted(by: { $0.key < $1.key }) {
                    try collect(schema, "\(place)/\(name)", into: &schemas)
                }
            case "items": try collect(value, place, into: &schemas)
            case "additionalProperties" where value == .bool(false): break
            case "additionalProperties": try collect(value, place, into: &schemas)
            default:
                guard isKnown(keyword, value, of: keywords) else {
                    throw Refusal(description: "\(place): nothing checks this")
                }
            }
        }
    }

    /// Whether `keyword` is checked with such a value.
    private static func isKnown(_ keyword: String, _ value: JSONValue, of schema: Keywords) -> Bool {
        switch keyword {
        case "$schema", "$id", "title", "description", "$ref": value.text != nil
        case "const": true
        case "enum": value.items?.isEmpty == false
        case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum": value.double != nil
        case "pattern": value == .string(hexadecimal)
        case "type": Set(typeNames(value)).isSubset(of: types) && !typeNames(value).isEmpty
        case "required":
            value.items?.allSatisfy { $0.text.map { schema["properties"]?.members?[$0] != nil } ?? false }
                ?? false
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

    private func check(_ value: JSONValue, _ schema: Keywords, _ place: String, _ found: inout [String]) {
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
        if schema["pattern"] != nil, let text = value.text, !Self.isHexadecimal(text) {
            found.append("\(place): '\(text)', expected \(Self.hexadecimal)")
        }
        if let items = value.items, let schema = schema["items"]?.members {
            for (index, item) in items.enumerated() { check(item, schema, "\(place)[\(index)]", &found) }
        }
        if let members = value.members { check(members, schema, place, &found) }
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

    private func check(_ members: Keywords, _ schema: Keywords, _ place: String, _ found: inout [String]) {
        for name in schema["required"]?.items ?? [] {
            if let name = name.text, members[name] == nil { found.append("\(place): no \(name)") }
        }
        let properties = schema["properties"]?.members ?? [:]
        for (name, member) in members.sorted(by: { $0.key < $1.key }) {
            let place = "\(place).\(name)"
            if let property = properties[name]?.members {
                check(member, property, place, &found)
            } else if let other = schema["additionalProperties"]?.members {
                check(member, other, place, &found)
            } else if schema["additionalProperties"] != nil || schema["properties"] != nil {
                found.append("\(place): nothing is said of it")
            }
        }
    }

    private static func isHexadecimal(_ text: String) -> Bool {
        text.hasPrefix("0x") && text.count > 2
            && text.dropFirst(2).allSatisfy { "0123456789abcdef".contains($0) }
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
