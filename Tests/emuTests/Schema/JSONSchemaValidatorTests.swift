import Foundation
import Testing

@Suite struct JSONSchemaValidatorTests {
    private static func value(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    private static func violations(_ schema: String, _ text: String) throws -> [String] {
        try JSONSchemaValidator(value(schema)).violations(in: value(text))
    }

    /// A schema, what it takes and what it does not.
    struct Row: CustomTestStringConvertible {
        let schema: String
        let good: [String]
        let bad: [String]
        var testDescription: String { schema }
    }

    @Test(
        "A schema takes what it says and nothing else",
        arguments: [
            Row(schema: "{}", good: ["1", "null", "{\"a\": []}"], bad: []),
            Row(
                schema: "{\"type\": \"integer\"}", good: ["0", "-1", "18446744073709551615"],
                bad: ["1.5", "true", "\"1\"", "null", "[1]", "{}"]),
            Row(
                schema: "{\"type\": \"number\"}", good: ["0", "1.5", "-1e300"],
                bad: ["false", "\"1.5\"", "null"]),
            Row(
                schema: "{\"type\": \"boolean\"}", good: ["true", "false"],
                bad: ["0", "1", "\"true\"", "null"]),
            Row(schema: "{\"type\": \"string\"}", good: ["\"\"", "\"1\""], bad: ["1", "null", "[\"\"]"]),
            Row(schema: "{\"type\": \"array\"}", good: ["[]", "[1, null]"], bad: ["{}", "\"\"", "null"]),
            Row(schema: "{\"type\": \"object\"}", good: ["{}", "{\"a\": 1}"], bad: ["[]", "null"]),
            Row(
                schema: "{\"type\": [\"integer\", \"null\"], \"minimum\": 0}", good: ["0", "null"],
                bad: ["-1", "0.5", "\"\""]),
            Row(schema: "{\"const\": 1}", good: ["1"], bad: ["2", "\"1\"", "true", "null"]),
            Row(
                schema: "{\"enum\": [\"a\", \"b\"]}", good: ["\"a\"", "\"b\""], bad: ["\"c\"", "\"\"", "1"]),
            Row(schema: "{\"minimum\": 0.5}", good: ["0.5", "1", "\"0\""], bad: ["0", "0.4", "-3"]),
            Row(schema: "{\"maximum\": 1}", good: ["1", "-7", "\"2\""], bad: ["1.5", "2"]),
            Row(
                schema: "{\"exclusiveMinimum\": 0, \"exclusiveMaximum\": 1}", good: ["0.5", "null"],
                bad: ["0", "1", "5", "-1"]),
            Row(
                schema: "{\"properties\": {\"a\": {}}}", good: ["{}", "{\"a\": 1}"], bad: ["{\"b\": 1}"]),
            Row(
                schema: "{\"type\": \"string\", \"pattern\": \"^0x[0-9a-f]+$\"}",
                good: ["\"0x0\"", "\"0x1f\""],
                bad: ["\"0x\"", "\"1f\"", "\"0x1F\"", "\"0x1g\"", "\" 0x1\"", "\"0x1\\n\""]),
            Row(
                schema: "{\"pattern\": \"^[0-9]+$\"}", good: ["\"0\"", "\"18446744073709551615\"", "7"],
                bad: ["\"\"", "\"-1\"", "\"0x1\"", "\" 1\""]),
            Row(
                schema: "{\"minItems\": 1, \"maxItems\": 2}", good: ["[1]", "[1, 2]", "\"\""],
                bad: ["[]", "[1, 2, 3]"]),
            Row(
                schema: """
                    {"properties": {"a": {"enum": ["x", "y"]}, "b": {"type": "integer"}, "c": {"items": {}}},
                     "required": ["a"], "allOf": [
                     {"if": {"properties": {"a": {"const": "x"}}}, "then": {"required": ["b"]},
                      "else": {"properties": {"b": false}}},
                     {"if": {"properties": {"a": {"const": "y"}}}, "then": {"properties": {"c": {"minItems": 1}}}}]}
                    """,
                good: [
                    "{\"a\": \"x\", \"b\": 1}", "{\"a\": \"y\"}", "{\"a\": \"x\", \"b\": 1, \"c\": []}",
                    "{\"a\": \"y\", \"c\": [1]}", "null",
                ],
                bad: [
                    "{}", "{\"a\": \"x\"}", "{\"a\": \"x\", \"b\": \"\"}", "{\"a\": \"y\", \"b\": 1}",
                    "{\"a\": \"y\", \"c\": []}", "{\"a\": \"y\", \"d\": 1}",
                ]),
            Row(
                schema: "{\"type\": \"array\", \"items\": {\"type\": \"integer\"}}", good: ["[]", "[1, 2]"],
                bad: ["[1, \"2\"]", "[null]"]),
            Row(
                schema: """
                    {"type": "object", "properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a"],
                     "additionalProperties": false}
                    """, good: ["{\"a\": 1}", "{\"a\": 1, \"b\": null}"],
                bad: ["{}", "{\"b\": 1}", "{\"a\": \"\"}", "{\"a\": 1, \"c\": 1}"]),
            Row(
                schema: "{\"properties\": {\"a\": {}}, \"additionalProperties\": {\"type\": \"integer\"}}",
                good: ["{}", "{\"a\": \"\", \"b\": 1}"], bad: ["{\"b\": \"\"}"]),
            Row(
                schema: """
                    {"type": ["object", "null"], "$ref": "#/$defs/pair",
                     "$defs": {"pair": {"properties": {"x": {"type": "number"}}, "required": ["x"]}}}
                    """, good: ["null", "{\"x\": 1}"], bad: ["{}", "{\"x\": \"\"}", "1"]),
        ])
    func schemaTakes(row: Row) throws {
        for text in row.good { #expect(try Self.violations(row.schema, text) == [], "\(text)") }
        for text in row.bad { #expect(try !Self.violations(row.schema, text).isEmpty, "\(text)") }
    }

    @Test(
        "A schema that asks for what is not checked is refused",
        arguments: [
            "{\"multipleOf\": 1}", "{\"maximum\": \"1\"}",
            "{\"anyOf\": []}", "{\"format\": \"date\"}", "{\"minLength\": 1}",
            "{\"properties\": {\"a\": {\"uniqueItems\": true}}}", "{\"items\": {\"maxContains\": 1}}",
            "{\"minItems\": -1}", "{\"maxItems\": \"1\"}", "{\"maxItems\": 1.5}",
            "{\"allOf\": []}", "{\"allOf\": {}}", "{\"allOf\": [{\"if\": {}}]}",
            "{\"allOf\": [{\"then\": {}}]}",
            "{\"if\": {}, \"then\": {}}", "{\"allOf\": [{\"required\": [\"a\"]}]}",
            "{\"allOf\": [{\"properties\": {\"a\": {}}}]}", "{\"properties\": {\"a\": false}}",
            "{\"properties\": {\"a\": {}}, \"allOf\": [{\"properties\": {\"a\": true}}]}",
            "{\"$defs\": {\"a\": {\"not\": {}}}}", "{\"additionalProperties\": {\"oneOf\": []}}",
            "{\"pattern\": \"^a$\"}", "{\"type\": \"float\"}", "{\"type\": []}", "{\"enum\": []}",
            "{\"minimum\": \"0\"}", "{\"required\": [\"a\"]}",
            "{\"required\": [\"a\"], \"properties\": {\"b\": {}}}",
            "{\"$ref\": \"#/$defs/a\"}", "{\"$ref\": \"#/properties/a\", \"properties\": {\"a\": {}}}",
            "{\"additionalProperties\": true}", "{\"properties\": [\"a\"]}", "true", "[]",
        ])
    func uncheckedKeyword(schema: String) throws {
        let schema = try Self.value(schema)
        #expect(throws: JSONSchemaValidator.Refusal.self) { try JSONSchemaValidator(schema) }
    }

    @Test("A violation has its place, what is there and what is expected")
    func violation() throws {
        let schema = """
            {"properties": {"a": {"items": {"properties": {"b": {"type": "integer"}, "c": {}}, "required": ["c"]}}}}
            """
        #expect(
            try Self.violations(schema, "{\"a\": [{\"c\": 1}, {\"b\": \"\"}]}")
                == ["$.a[1]: no c", "$.a[1].b: string, expected integer"])
    }
}
