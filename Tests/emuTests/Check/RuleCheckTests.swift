import EmulatedMachine
import SimulatedConformance
import SimulatedVDPA
import SystemPackage
import TestSupport
import Testing
import VhostVDPAConformance

@testable import emu

@Suite("emu check, ended before its end")
struct RuleCheckTests {
    private static func check(
        _ device: String = "sim", _ interrupt: RunInterrupt, failure: @escaping () -> String? = { nil },
        willOpen: @escaping () -> Void = {}
    ) throws -> RuleCheck {
        var opener = try DeviceOpener.simulation(
            SimulatedDeviceSpecification(parsing: device), logger: .quiet)
        let traits = try DeviceTraits.probe(opener)
        let open = opener.open
        opener.open = { () throws(Errno) in
            willOpen()
            return try open()
        }
        return RuleCheck(
            device: device, opener: opener, traits: traits, interrupt: interrupt, failure: failure)
    }

    private static let rules = RuleBook.rules(numbered: [1, 2, 3, 62])

    @Test("an interrupted one has the rules that were run, says so, and has found nothing to be well")
    func interrupted() throws {
        let interrupt = try RunInterrupt()
        var lines: [String] = []
        let report = try Self.check("sim", interrupt).run(Self.rules) { line in
            lines.append(line)
            if line.contains("passed") { interrupt.raise() }
        }
        #expect(report.rules.map(\.number) == [1])
        #expect(report.notRun == 3 && report.interrupted && report.problems.isEmpty)
        #expect(report.status == .foundSomethingWrong)
        #expect(report.verdict.contains("1 passed, 0 failed, 0 not applicable, 3 not run\nINTERRUPTED: "))
        #expect(lines.count == 2)
    }

    @Test("a rule that fails after somebody asked to end is not run, not failed")
    func failing() throws {
        let interrupt = try RunInterrupt()
        let check = try Self.check("sim,fault=loses-maps", interrupt, willOpen: { interrupt.raise() })
        let report = check.run(RuleBook.rules(numbered: [62, 65])) { _ in }
        #expect(report.rules.isEmpty && report.notRun == 2 && report.interrupted)
    }

    @Test("a rule that passes after somebody asked to end is not run: its wait may have been cut short")
    func passing() throws {
        let interrupt = try RunInterrupt()
        let report = try Self.check("sim", interrupt, willOpen: { interrupt.raise() }).run(Self.rules) { _ in
        }
        #expect(report.rules.isEmpty && report.notRun == 4 && report.interrupted)
    }

    @Test("a device that goes away in the last rule is told")
    func goneAtTheEnd() throws {
        var failure: String?
        let report = try Self.check("sim", RunInterrupt(), failure: { failure }).run(
            RuleBook.rules(numbered: [1])
        ) { line in
            if line.contains("passed") { failure = "the device went away" }
        }
        #expect(report.notRun == 0 && report.problems == ["the device went away"])
        #expect(report.status == .foundSomethingWrong)
    }

    @Test("a device that goes away ends it with a line and status 1")
    func gone() throws {
        var failure: String?
        let report = try Self.check("sim", RunInterrupt(), failure: { failure }).run(Self.rules) { line in
            if line.contains("passed") { failure = "the device went away" }
        }
        #expect(report.rules.map(\.number) == [1] && report.notRun == 3 && !report.interrupted)
        #expect(report.problems.count == 1)
        #expect(report.status == .foundSomethingWrong)
        #expect(report.verdict.contains("WRONG: the device went away"))
    }

    @Test(
        "rules that pass or fail on a device whose worker has stopped are not run, and the cause is a problem"
    )
    func workerStopped() throws {
        var check = try Self.check("sim", RunInterrupt(), failure: { "the worker has stopped" })
        check.opener.failure = { "the worker has stopped" }
        var hasOpened = false
        let open = check.opener.open
        check.opener.open = { () throws(Errno) in
            hasOpened = true
            return try open()
        }
        let stopping = RuleCheck(
            device: "sim", opener: check.opener, traits: check.traits, interrupt: check.interrupt,
            failure: { hasOpened ? "the worker has stopped" : nil })
        let report = stopping.run(Self.rules) { _ in }
        #expect(report.rules.isEmpty && report.notRun == 4)
        #expect(report.problems == ["the worker has stopped"] && report.status == .foundSomethingWrong)
    }

    @Test("one that runs to its end has nothing that was not run")
    func whole() throws {
        let report = try Self.check("sim", RunInterrupt()).run(Self.rules) { _ in }
        #expect(report.notRun == 0 && !report.interrupted && report.status == .done)
    }
}
