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
        #expect(try CheckReport.read(JSONText.encode(report)) == report)
    }

    @Test(
        "A rule that could not be asked is counted apart, makes the status 1 and says what the line to read is"
    )
    func notAsked() throws {
        let rules = RuleBook.rules(numbered: [1, 2, 3])
        let outcomes: [RuleOutcome] = [
            .passed, .notApplicable(reason: "of another kind"), .notAsked(reason: "raise 'ulimit -n'"),
        ]
        let report = CheckReport(
            device: "sim", results: zip(rules, outcomes).map { (rule: $0, outcome: $1) })
        #expect([report.passed, report.failed, report.notApplicable, report.notAsked] == [1, 0, 1, 1])
        #expect(report.status == .foundSomethingWrong)
        #expect(report.verdict.hasPrefix("sim: 1 passed, 0 failed, 1 not applicable, 1 could not be asked\n"))
        #expect(report.verdict.contains("\nINCOMPLETE: "))
        #expect(report.rules.map(\.reason) == [nil, "of another kind", "raise 'ulimit -n'"])
        #expect(CheckLine.text(rules[2], outcomes[2]).contains("NOT ASKED"))
        #expect(try CheckReport.read(JSONText.encode(report)) == report)
    }

    @Test(
        "A rule that failed, one that was not asked, one that was not run and a problem are status 1, each alone"
    )
    func status() {
        func report(_ outcome: RuleOutcome, asked: Int = 1, problems: [String] = []) -> CheckReport {
            CheckReport(
                device: "sim", results: [(rule: RuleBook.rules[0], outcome: outcome)], asked: asked,
                problems: problems)
        }
        #expect(report(.passed).status == .done)
        #expect(report(.failed(expected: "a", seen: "b")).status == .foundSomethingWrong)
        #expect(report(.notAsked(reason: "c")).status == .foundSomethingWrong)
        #expect(report(.passed, asked: 2).status == .foundSomethingWrong)
        #expect(report(.passed, problems: ["gone"]).status == .foundSomethingWrong)
    }

    @Test(
        "Where no rule says anything of the device, the verdict says that nothing was checked, and only there"
    )
    func nothingChecked() {
        let rules = RuleBook.rules(numbered: [1, 2])
        func report(_ outcomes: [RuleOutcome]) -> CheckReport {
            CheckReport(device: "sim", results: zip(rules, outcomes).map { (rule: $0, outcome: $1) })
        }
        let none = RuleOutcome.notApplicable(reason: "of another kind")
        #expect(report([none, none]).verdict.contains("\nNOTHING CHECKED: "))
        #expect(report([none, none]).status == .done)
        #expect(!report([none, .passed]).verdict.contains("NOTHING CHECKED"))
        #expect(!report([]).verdict.contains("NOTHING CHECKED"))
        #expect(report([none, none]).nothingChecked == true)
        #expect(report([none, .passed]).nothingChecked == nil && report([]).nothingChecked == nil)
        #expect(JSONText.encode(report([none])).contains("\"nothingChecked\" : true"))
        let all = AllCheckReport([report([none]), report([none, none])])
        #expect(all.nothingChecked == true && all.verdict.contains("\nNOTHING CHECKED: "))
        let mixed = AllCheckReport([report([none]), report([.passed])])
        #expect(mixed.nothingChecked == nil && !mixed.verdict.contains("NOTHING CHECKED"))
    }

    @Test("A report of before there was a field for nothing checked is read")
    func olderReport() throws {
        let older = CheckReport(device: "sim", results: [])
        #expect(!JSONText.encode(older).contains("nothingChecked"))
        #expect(try CheckReport.read(JSONText.encode(older)) == older)
    }
}
