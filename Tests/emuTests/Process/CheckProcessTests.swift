import Foundation
import Glibc
import TestSupport
import Testing
import VhostVDPAConformance

@testable import emu

/// `emu check` as its caller sees it: streams and exit status.
@Suite(.timeLimit(.minutes(15))) struct CheckProcessTests {
    private static func rules(_ outcome: EmuProcess.Outcome) throws -> CheckReport {
        try outcome.result(CheckReport.self)
    }

    @Test("A device with a fault fails rules by number, and status 1")
    func faultyDevice() throws {
        let outcome = try EmuProcess.run("check", "--device", "sim,fault=loses-maps", "--only", "1,62")
        #expect(outcome.status == 1)
        #expect(outcome.errors.isEmpty)
        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(lines.contains { $0.hasPrefix("    1  passed  ") })
        #expect(lines.contains { $0.hasPrefix("   62  FAILED  ") })
        #expect(lines.contains { $0.contains("expected  ") } && lines.contains { $0.contains("seen      ") })
        #expect(lines.last == "sim,fault=loses-maps: 1 passed, 1 failed, 0 not applicable")
    }

    @Test("--only runs these rules and no other, in JSON too")
    func only() throws {
        let outcome = try EmuProcess.run("check", "--only", "62,1", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let report = try Self.rules(outcome)
        #expect(report.rules.map(\.number) == [1, 62])
        #expect(report.passed == 2 && report.failed == 0 && report.notApplicable == 0 && report.notRun == 0)
        #expect(!report.interrupted && report.problems.isEmpty)
    }

    @Test("All rules of a good device are status 0")
    func allRules() throws {
        let outcome = try EmuProcess.run("check", "--json")
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try Self.rules(outcome).rules.count == RuleBook.rules.count)
    }

    @Test("Sequences that differ show the shortest part that does, in words, and status 1")
    func differingSequences() throws {
        let arguments = ["check", "--device", "sim,entries=6,fault=loses-maps", "--sequences", "50"]
        let outcome = try EmuProcess(arguments).finish()
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("  > SET_STATUS 0\n"))
        // People read what the device has, not how the program spells it.
        #expect(!outcome.output.contains("DeviceInterior("))
        let json = try EmuProcess(arguments + ["--json"]).finish()
        #expect(json.status == 1)
        let report = try json.result(SequenceReport.self)
        #expect(report.failure?.operations.count == 3)
        #expect(report.sequences == 50 && report.passed < 50)
    }

    @Test("Sequences that agree are status 0")
    func agreeingSequences() throws {
        let outcome = try EmuProcess.run("check", "--sequences", "5", "--seed", "7", "--json")
        #expect(outcome.status == 0)
        let report = try outcome.result(SequenceReport.self)
        #expect(report.seed == "7" && report.sequences == 5 && report.passed == 5 && !report.interrupted)
    }

    @Test(
        "A signal ends endless sequences with how many there were, and status 1",
        arguments: [SIGINT, SIGTERM])
    func signal(signal: Int32) throws {
        let emu = try EmuProcess([
            "check", "--sequences", "9223372036854775807", "--json", "--log-level", "info",
        ])
        try emu.waitForError("comparing sequences")
        emu.send(signal)
        let outcome = emu.finish()
        #expect(outcome.status == 1, "\(outcome.errors)")
        let report = try outcome.result(SequenceReport.self)
        #expect(report.interrupted && report.failure == nil && report.passed < report.sequences)
        #expect(
            outcome.errors.contains(" of 9,223,372,036,854,775,807 sequences of 50 operations from seed 1: "))
        #expect(outcome.errors.hasSuffix("INTERRUPTED: the sequences that were not run may differ\n"))
    }

    @Test("--list is the document, and with --json an object of every rule")
    func list() throws {
        let text = try EmuProcess.run("check", "--list")
        #expect(text.status == 0 && text.output == RuleBook.document + "\n")
        let json = try EmuProcess.run("check", "--list", "--json")
        #expect(json.status == 0 && json.errors.isEmpty)
        let listing = try json.result(RuleListing.self)
        #expect(listing.rules.map(\.number) == RuleBook.rules.map(\.number))
        #expect(listing.rules.allSatisfy { !$0.title.isEmpty && !$0.source.isEmpty && !$0.topic.isEmpty })
    }

    @Test("--table is the document of what is in the folder")
    func table() throws {
        let folder = try KeptFolder()
        try folder.add()
        let outcome = try EmuProcess.run("check", "--table", folder.url.path)
        #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
        #expect(outcome.output == (try folder.document()) + "\n")
    }

    @Test(
        "What cannot be checked is one line that says why, and status 2",
        arguments: [
            (["--seed", "3"], "--sequences"), (["--only", "3", "--list"], "--list"),
            (["--device", "sim,queues=2", "--list"], "--list"),
            (["--sequences", "0"], "1 or more"), (["--sequences", "5", "--only", "3"], "--only"),
            (["--sequences", "5", "--list"], "--list"), (["--sequences", "-1"], "--sequences"),
            (["--only", "99"], "no rule 99"),
            (["--sequences", "5", "--device", "/dev/null"], "--device sim"),
            (["--device", "/dev/null"], "vhost-vdpa"), (["--device", "/dev/zero"], "vhost-vdpa"),
            (["--device", "/"], "/"), (["--device", "/nowhere/vhost-vdpa-0"], "vdpa dev add"),
            (["--device", "fd:999"], "path"), (["--device", "fd:0"], "path"),
            (["--table", "/nowhere"], "/nowhere"), (["--table", ""], "--table"),
            (["--table", "/dev/null"], "Not a directory"),
        ])
    func uncheckable(arguments: [String], word: String) throws {
        let outcome = try EmuProcess(["check"] + arguments).finish()
        #expect(outcome.status == 2)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("emu: ") && outcome.errors.contains(word), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        for spelling in ["failed(", "expected:", "errno:"] { #expect(!outcome.errors.contains(spelling)) }
    }

    @Test("A pipe by name is refused and not waited for")
    func namedPipe() throws {
        let folder = try TemporaryFolder()
        let outcome = try EmuProcess.run("check", "--device", folder.makePipe("pipe"))
        #expect(outcome.status == 2)
        #expect(outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
    }

    @Test("Whatever descriptors are missing, a rule is never called not applicable for that")
    func missingDescriptors() throws {
        let whole = try Self.rules(EmuProcess.run("check", "--json"))
        let inapplicable = Set(whole.rules.filter { $0.outcome == .notApplicable }.map(\.number))
        var hasRun = false
        for limit in 5...34 {
            let outcome = try EmuProcess.run(
                shell: "ulimit -n \(limit); exec \"$@\"", ["check", "--json"])
            if outcome.status == 2 {
                #expect(outcome.errorLines.count == 1, "\(limit): \(outcome.errors)")
                let report = try outcome.result(ErrorReport.self)
                #expect(outcome.errors == "emu: \(report.error)\n", "\(limit)")
                continue
            }
            let report = try Self.rules(outcome)
            if outcome.status == 0 { hasRun = true }
            #expect((outcome.status == 0) == (report.notAsked == 0), "\(limit): \(outcome.errors)")
            #expect(report.failed == 0, "\(limit): \(outcome.errors)")
            for rule in report.rules where rule.outcome == .notApplicable {
                #expect(inapplicable.contains(rule.number), "\(limit): \(rule.number): \(rule.reason ?? "")")
            }
            for rule in report.rules where rule.outcome == .notAsked {
                #expect(rule.reason?.contains("ulimit -n") == true, "\(limit): \(rule.reason ?? "")")
            }
        }
        #expect(hasRun)
    }

    @Test("Rules that all say nothing of the device are not called a good check")
    func nothingSaid() throws {
        let outcome = try EmuProcess.run("check", "--only", "10,22")
        #expect(outcome.status == 0)
        #expect(outcome.output.split(separator: "\n").last?.hasPrefix("NOTHING CHECKED: ") == true)
    }

    @Test("A simulation that is refused a system call of its own answers for no device")
    func refusedSimulation() throws {
        let outcome = try RefusedCall.duplication(EACCES).run(["check", "--only", "1,12,39"])
        #expect(outcome.status == 1, "\(outcome.output)")
        #expect(outcome.errors.contains("eventfd was refused: Permission denied"), "\(outcome.errors)")
    }
}
