import Foundation
import Testing

@testable import emu

/// A run that starts well and cannot go on.
@Suite(.timeLimit(.minutes(15))) struct BrokenRunTests {
    @Test("A start that fails later ends the run with its report, one line and status 1")
    func laterStart() throws {
        // Every start binds the kicks anew, which takes a descriptor each.
        let emu = try EmuProcess([
            "run", "--memory", "64M", "--interval", "300ms", "--duration", "100s", "--json", "--log-level",
            "debug",
        ])
        // The first stop begins: whatever fails from now on is the run's.
        try emu.waitForError("SUSPEND(")
        try emu.allowNoMoreDescriptors()
        let outcome = emu.finish()
        #expect(outcome.status == 1, "\(outcome.errors)")
        let report = try outcome.result(RunReport.self)
        #expect(report.ending == .brokeOff)
        #expect(report.verdict == .wrong)
        #expect(report.failure?.contains("Too many open files") == true, "\(report.failure ?? "")")
        #expect(report.packets.sent > 0)
        let lines = outcome.errors.split(separator: "\n")
        #expect(lines.contains { $0.hasPrefix("WRONG: the run broke off: ") }, "\(outcome.errors)")
        #expect(lines.last?.hasPrefix("emu: sim: the run broke off: ") == true, "\(lines.last ?? "")")
    }
}
