import FoundationEssentials
import Testing
import VhostVDPAConformance

@testable import emu

@Suite("emu check: its arguments and its JSON")
struct CheckReportTests {
    @Test(
        "--only takes numbers of rules and refuses everything else",
        arguments: ["", "x", "1,,2", "72", "1,0"])
    func refusedSelection(_ text: String) {
        #expect(throws: ArgumentError.self) { try RuleSelection(parsing: text) }
    }

    @Test("--only takes a list")
    func selection() throws {
        #expect(try RuleSelection(parsing: "1,62,101").numbers == [1, 62, 101])
    }

    @Test("The JSON has each rule with its outcome, only what the outcome has, and the counts")
    func json() throws {
        let rules = RuleBook.rules(numbered: [1, 2, 3])
        let outcomes: [RuleOutcome] = [
            .passed, .failed(expected: "a", seen: "b"), .notApplicable(reason: "c"),
        ]
        let report = CheckReport(
            device: "sim", results: zip(rules, outcomes).map { (rule: $0, outcome: $1) })
        #expect([report.passed, report.failed, report.notApplicable] == [1, 1, 1])
        #expect(report.rules.map(\.number) == [1, 2, 3])
        #expect(report.rules.map(\.outcome) == [.passed, .failed, .notApplicable])
        #expect(report.rules.map(\.expected) == [nil, "a", nil])
        #expect(report.rules.map(\.seen) == [nil, "b", nil])
        #expect(report.rules.map(\.reason) == [nil, nil, "c"])
        let again = try JSONDecoder().decode(CheckReport.self, from: Data(JSONText.encode(report).utf8))
        #expect(again == report)
    }
}
