import Foundation
import Testing

@testable import DeviceScripts

@Suite("docs/device-scripts.md")
struct PageTests {
    private static let page =
        (try? String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "docs/device-scripts.md"), encoding: .utf8))
        ?? ""

    /// What stands in code in the cells of a table's rows.
    private static let rows: [[[String]]] = page.split(separator: "\n").filter { $0.hasPrefix("|") }.map {
        $0.split(separator: "|").map { $0.matches(of: /`([^`]*)`/).map { String($0.output.1) } }
    }

    @Test("has every verb that is read, and no other")
    func verbs() throws {
        let error = #expect(throws: ScriptTextError.self) { try DeviceScript(parsing: "none") }
        let list = try #require(error?.reason.split(separator: "one of ").last)
        let verbs = list.split(separator: ", ").map(String.init)
        #expect(verbs.count > 10)
        // A verb begins its example.
        let named = Self.rows.compactMap { row -> String? in
            guard row.count > 1, let verb = row[0].first, let example = row[1].first,
                example.hasPrefix(verb)
            else { return nil }
            return verb
        }
        #expect(Set(named) == Set(verbs).union(["IOCTL", "child"]))
        for kind in ScriptMessage.Kind.allCases { #expect(Self.page.contains("`\(kind.name)`")) }
    }

    @Test("has examples that are read as they stand")
    func examples() throws {
        let script = try #require(
            Self.page.split(separator: "```text\n").last?.split(separator: "```").first.map(String.init))
        #expect(try DeviceScript(parsing: script).description == script)
        let answers = try ScriptPlayer.play(DeviceScript(parsing: script), on: PlayerTests.target())
        #expect(try DeviceScript(parsing: script).differences(from: answers) == [])
        let examples = Self.rows.filter { $0.count == 3 }.flatMap { $0[1] }
        #expect(examples.count > 30)
        for example in examples {
            let read = try? DeviceScript(parsing: example)
            #expect(read?.description == example + "\n", "\(example)")
        }
    }
}
