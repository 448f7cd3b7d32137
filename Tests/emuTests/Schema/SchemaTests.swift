import Foundation
import Testing

@testable import emu

/// The schemas of `docs/json-schema`, each held to an output in which everything stands that can.
@Suite struct SchemaTests {
    @Test("Every schema has a sample, and the files are those of the schemas")
    func everySchema() throws {
        #expect(
            SchemaSample.all.map(\.schema.rawValue).sorted() == JSONSchema.allCases.map(\.rawValue).sorted())
        let files = try FileManager.default.contentsOfDirectory(
            atPath: JSONSchemaValidator.folder.path)
        #expect(files.sorted() == JSONSchema.allCases.map { "\($0.rawValue).schema.json" }.sorted())
    }

    @Test(
        "A file names its schema and its version, and says what each number is",
        arguments: JSONSchema.allCases)
    func selfDescribing(schema: JSONSchema) throws {
        let validator = try JSONSchemaValidator(schema)
        let root = validator.schemas[0].keywords
        #expect(root["$schema"] == .string("https://json-schema.org/draft/2020-12/schema"))
        #expect(root["$id"] == .string(JSONSchemaValidator.file(of: schema).lastPathComponent))
        let properties = try #require(root["properties"]?.members)
        #expect(properties["schema"] == .object(["const": .string(schema.rawValue)]))
        #expect(properties["schemaVersion"] == .object(["const": .integer(Int64(schema.version))]))
        for (place, keywords) in validator.schemas {
            let types = keywords["type"]?.items ?? [keywords["type"] ?? .null]
            if types.contains(.string("integer")) || types.contains(.string("number")) {
                #expect(keywords["description"] != nil, "\(place)")
            }
            // A new field does not change the version, so who holds the old schema must take it.
            if keywords["properties"] != nil { #expect(keywords["additionalProperties"] == nil, "\(place)") }
        }
    }

    @Test(
        "A result within another is what it is by itself",
        arguments: [
            (JSONSchema.runComparison, "run", JSONSchema.run), (.checkAll, "check", .check),
            (.checkSequencesAll, "sequences", .checkSequences),
        ])
    func nested(outer: JSONSchema, name: String, inner: JSONSchema) throws {
        // A definition of another file cannot be referred to, so that each file can be used by itself.
        func definitions(_ root: JSONSchemaValidator.Keywords) -> JSONSchemaValidator.Keywords {
            root["$defs"]?.members ?? [:]
        }
        let root = try JSONSchemaValidator(inner).schemas[0].keywords
        let envelope: Set = ["schema", "schemaVersion"]
        let properties = try #require(root["properties"]?.members).filter { !envelope.contains($0.key) }
        let required = try #require(root["required"]?.items).filter { !envelope.contains($0.text ?? "") }
        var found = definitions(try JSONSchemaValidator(outer).schemas[0].keywords)
        let result = try #require(found.removeValue(forKey: name)?.members)
        #expect(result["properties"] == .object(properties))
        #expect(result["required"] == .array(required))
        #expect(result["allOf"] == root["allOf"])
        #expect(found == definitions(root))
    }

    @Test("A schema takes a full output", arguments: SchemaSample.all)
    func fullOutput(sample: SchemaSample) throws {
        #expect(try JSONSchemaValidator(sample.schema).violations(in: sample.value) == [])
    }

    /// A change of an output that leaves a field where its outcome has none, or the other way round.
    struct Contradiction: CustomTestStringConvertible, Sendable {
        let sample: SchemaSample
        let old: String
        let new: String
        var testDescription: String { "\(sample.schema.rawValue): \(old) as \(new)" }
    }

    @Test(
        "The fields are those of the outcome",
        arguments: [
            Contradiction(sample: .check, old: "\"failed\"", new: "\"passed\""),
            Contradiction(sample: .check, old: "\"passed\"", new: "\"failed\""),
            Contradiction(sample: .check, old: "\"notAsked\"", new: "\"passed\""),
            Contradiction(sample: .checkAll, old: "\"notApplicable\"", new: "\"passed\""),
            Contradiction(sample: .run, old: "\"WRONG\"", new: "\"OK\""),
            Contradiction(sample: .run, old: "\"brokeOff\"", new: "\"stalled\""),
            Contradiction(sample: .run, old: "\"brokeOff\"", new: "\"interrupted\""),
            Contradiction(sample: .runComparison, old: "\"WRONG\"", new: "\"NOT SHOWN\""),
            Contradiction(sample: .runComparison, old: "\"brokeOff\"", new: "\"done\""),
        ])
    func fieldsOfOutcome(change: Contradiction) throws {
        let text = change.sample.text
        let place = try #require(text.range(of: change.old + "\n") ?? text.range(of: change.old + ","))
        let changed = text.replacingCharacters(
            in: place, with: change.new + String(text[place].suffix(1)))
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(changed.utf8))
        #expect(try JSONSchemaValidator(change.sample.schema).violations(in: value) != [])
    }

    @Test("A sample has every field that its schema knows", arguments: SchemaSample.all)
    func sampleFields(sample: SchemaSample) throws {
        let places = Set(JSONChange.all(of: try sample.value).filter { $0.kind == .removed }.map(\.place))
        // What must be there, and what may be missing: nothing else is in a schema.
        for (place, keywords) in try JSONSchemaValidator(sample.schema).schemas {
            for name in (keywords["properties"]?.members ?? [:]).keys {
                #expect(
                    places.contains { $0 == name || $0.hasSuffix(".\(name)") }, "\(place)/properties/\(name)")
            }
        }
    }

    @Test(
        "Whatever one thing is changed in an output, the schema takes it where it may be so, else not",
        arguments: SchemaSample.all)
    func change(sample: SchemaSample) throws {
        let validator = try JSONSchemaValidator(sample.schema)
        let changes = JSONChange.all(of: try sample.value)
        for kind in JSONChange.Kind.allCases {
            #expect(changes.contains { $0.kind == kind }, "\(kind)")
        }
        for change in changes where validator.violations(in: change.document).isEmpty != sample.takes(change)
        {
            Issue.record("\(change.place) \(change.kind): the schema says otherwise")
        }
        let places = Set(changes.map(\.place))
        let named = [sample.optional, sample.nullable, sample.signed, sample.bounded, sample.closed]
        for place in named.reduce(into: Set<String>(), { $0.formUnion($1) }) {
            #expect(places.contains(place), "the sample has no \(place)")
        }
    }
}
