import EmulatedMachine
import Logging
import SimulatedConformance
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

@testable import emu

@Suite("emu check, ended before its end")
struct RuleCheckTests {
    private static func check(
        _ device: String = "sim", _ interrupt: RunInterrupt, isGone: @escaping () -> Bool = { false },
        willOpen: @escaping () -> Void = {}
    ) throws -> RuleCheck {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var opener = try DeviceOpener.simulation(
            SimulatedDeviceSpecification(parsing: device), logger: logger)
        let traits = try DeviceTraits.probe(opener)
        let open = opener.open
        opener.open = { () throws(Errno) in
            willOpen()
            return try open()
        }
        return RuleCheck(
            device: device, opener: opener, traits: traits, interrupt: interrupt, isGone: isGone)
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

    @Test("a device that goes away ends it with a line and status 1")
    func gone() throws {
        var isGone = false
        let report = try Self.check("sim", RunInterrupt(), isGone: { isGone }).run(Self.rules) { line in
            if line.contains("passed") { isGone = true }
        }
        #expect(report.rules.map(\.number) == [1] && report.notRun == 3 && !report.interrupted)
        #expect(report.problems.count == 1)
        #expect(report.status == .foundSomethingWrong)
        #expect(report.verdict.contains("WRONG: the device went away"))
    }

    @Test("one that runs to its end has nothing that was not run")
    func whole() throws {
        let report = try Self.check("sim", RunInterrupt()).run(Self.rules) { _ in }
        #expect(report.notRun == 0 && !report.interrupted && report.status == .done)
    }
}
