import Foundation
import Testing

@testable import ClientRules

@Suite("The rules for clients") struct ClientRuleBookTests {
    @Test("are numbered from 201 on, each once, without a gap")
    func numbers() {
        #expect(ClientRuleBook.rules.map(\.number) == Array(201..<201 + ClientRuleBook.rules.count))
    }

    @Test("say what, why, what to do and where it is stated, each in words of its own")
    func words() {
        for rule in ClientRuleBook.rules {
            let texts = [rule.title, rule.reason, rule.advice, rule.source]
            #expect(
                texts.allSatisfy { !$0.isEmpty && !$0.contains("\n") && !$0.contains("  ") }, "\(rule.number)"
            )
            #expect(Set(texts).count == texts.count)
        }
        #expect(Set(ClientRuleBook.rules.map(\.title)).count == ClientRuleBook.rules.count)
    }

    @Test("docs/client-rules.md is what 'emu exec --list-rules' prints: write it there anew after a change")
    func document() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "docs/client-rules.md"), encoding: .utf8)
        #expect(text == ClientRuleBook.document + "\n")
    }
}
