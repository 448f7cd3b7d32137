import Foundation
import Glibc
import Testing

@testable import emu

/// `emu run --compare` as its caller sees it.
@Suite(.timeLimit(.minutes(15))) struct CompareProcessTests {
    private static let words = ["run", "--compare", "--memory", "64M", "--json"]
    private static let short = ["--cycles", "3", "--interval", "10ms"]

    private func compare(_ arguments: [String]) throws -> (
        outcome: EmuProcess.Outcome, comparison: RunComparison
    ) {
        let outcome = try EmuProcess(Self.words + arguments).finish()
        return (outcome, try outcome.result(RunComparison.self))
    }

    @Test("Both runs are the same but for the bit, and the last line is the verdict")
    func bothRuns() throws {
        let (outcome, comparison) = try compare(Self.short)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let second = try #require(comparison.notNegotiated)
        #expect(comparison.kept.persist.acknowledged && !second.persist.acknowledged)
        #expect(comparison.kept.setup.persistPolicy == "auto" && second.setup.persistPolicy == "off")
        #expect(comparison.kept.cycles == 3 && second.cycles == 3)
        #expect(comparison.kept.iotlb.perCycle == .init(updates: 0, invalidates: 0))
        #expect(second.iotlb.perCycle.updates > 0)
        #expect(comparison.verdict == .ok)
        #expect(outcome.errors.hasSuffix("\n" + comparison.conclusion + "\n"), "\(outcome.errors)")
    }

    @Test("Without --json the table is standard output, and nothing else is said")
    func withoutJSON() throws {
        let outcome = try EmuProcess(["run", "--compare", "--memory", "64M"] + Self.short).finish()
        #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
        #expect(outcome.output.hasPrefix("emu run --compare: sim, 64M of guest RAM in "))
        #expect(outcome.output.contains("\nIOTLB_PERSIST "))
        #expect(outcome.output.contains("\nOK: a stop and start without IOTLB_PERSIST took "))
    }

    @Test("A device that does not offer the bit shows nothing of it")
    func bitNotOffered() throws {
        let (outcome, comparison) = try compare(["--device", "sim,kernel=6.1"] + Self.short)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(comparison.verdict == .notShown)
        #expect(comparison.conclusion.contains("does not offer IOTLB_PERSIST"))
    }

    @Test("What is wrong in one run is told with its name")
    func problemOfOneRun() throws {
        let (outcome, comparison) = try compare(["--device", "sim,fault=loses-maps"] + Self.short)
        #expect(outcome.status == 1)
        #expect(comparison.problems.allSatisfy { $0.hasPrefix("kept: ") } && !comparison.problems.isEmpty)
        #expect(comparison.notNegotiated?.verdict == .ok)
    }

    @Test("A first run that cannot start is no run at all")
    func firstCannotStart() throws {
        let outcome = try EmuProcess(Self.words + ["--device", "sim,entries=6"]).finish()
        #expect(outcome.status == 2)
        #expect(try outcome.result(ErrorReport.self).error.contains("room for 6 (entries="))
    }

    @Test("A second run that cannot start does not cost the first its report")
    func secondCannotStart() throws {
        // No stop: the first run wants no further descriptor, the second all of its own.
        let emu = try EmuProcess(
            Self.words + ["--duration", "3s", "--interval", "1h", "--log-level", "info"])
        try emu.waitForError("the device has started")
        try emu.allowNoMoreDescriptors()
        let outcome = emu.finish()
        #expect(outcome.status == 1, "\(outcome.errors)")
        let comparison = try outcome.result(RunComparison.self)
        #expect(comparison.kept.packets.received > 0)
        #expect(comparison.notNegotiated == nil)
        #expect(comparison.verdict == .wrong && !comparison.interrupted)
        #expect(comparison.problems.contains { $0.hasPrefix("not negotiated: the run could not start: ") })
        #expect(outcome.errorLines.last?.hasPrefix("emu: not negotiated: ") == true, "\(outcome.errors)")
    }

    @Test("A signal in the first run ends with its report alone")
    func signalInFirst() throws {
        let emu = try EmuProcess(
            Self.words + ["--duration", "100s", "--interval", "10ms", "--log-level", "info"])
        try emu.waitForError("the device has started")
        emu.send(SIGTERM)
        let outcome = emu.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let comparison = try outcome.result(RunComparison.self)
        #expect(comparison.interrupted && comparison.kept.interrupted)
        #expect(comparison.notNegotiated == nil)
        #expect(comparison.conclusion.contains("(ended early: somebody asked)"))
    }

    @Test("A signal in the second run ends with both reports")
    func signalInSecond() throws {
        let emu = try EmuProcess(
            Self.words + ["--duration", "5s", "--interval", "10ms", "--log-level", "info"])
        try emu.waitForError("the device has started", times: 2)
        emu.send(SIGTERM)
        let outcome = emu.finish()
        #expect(outcome.status == 0, "\(outcome.errors)")
        let comparison = try outcome.result(RunComparison.self)
        #expect(comparison.interrupted && !comparison.kept.interrupted)
        #expect(comparison.notNegotiated?.interrupted == true)
    }
}
