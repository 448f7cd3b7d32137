import Foundation
import Glibc
import Testing

@testable import emu

/// `emu run` as its caller sees it: what a run that shows something else than a plain OK says, and its status.
@Suite(.timeLimit(.minutes(15))) struct RunProcessTests {
    private func run(_ arguments: [String]) throws -> (outcome: EmuProcess.Outcome, report: RunReport) {
        let outcome = try EmuProcess(["run", "--memory", "64M", "--json"] + arguments).finish()
        return (outcome, try outcome.result(RunReport.self))
    }

    /// A command line, and what becomes of it.
    struct Run: CustomTestStringConvertible {
        var arguments: [String]
        var status: Int32 = 0
        /// What the last line says.
        var words: String
        var testDescription: String { arguments.joined(separator: " ") }
    }

    @Test(
        "The last line is the verdict and what it rests on",
        arguments: [
            Run(
                arguments: ["--packets", "1000", "--wire", "none"], words: "NOT SHOWN: no frame can come back"
            ),
            Run(
                arguments: ["--guest", "none", "--duration", "100ms", "--interval", "20ms"],
                words: "NOT SHOWN: nothing was sent, as the guest's port is none"),
            Run(
                arguments: ["--duration", "100ms", "--interval", "5s"],
                words: "and the interval is 5 s; "),
            Run(arguments: ["--packets", "10"], words: "NOT SHOWN: no stop took place"),
            Run(
                arguments: ["--packets", "10", "--cycles", "0"],
                words: "OK: 10 frames sent, all of them back and unchanged"),
            Run(
                arguments: ["--cycles", "3", "--interval", "5ms"],
                words: "frames sent, all of them back and unchanged, over 3 stops"),
            Run(
                arguments: ["--packets", "10", "--cycles", "1", "--interval", "1s"],
                words: "NOT SHOWN: every frame was back before the first stop"),
            Run(
                arguments: ["--packets", "99999999999", "--duration", "100ms"], status: 1,
                words: "of 99,999,999,999 frames sent when the time was up"),
            Run(
                arguments: ["--cycles", "1000000", "--interval", "10ms", "--duration", "200ms"],
                words: "of 1,000,000 stops, when the time was up"),
            Run(
                arguments: ["--device", "sim,fault=suspend", "--cycles", "3", "--interval", "10ms"],
                status: 1,
                words: "WRONG: the device failed to suspend 4 times: rings started over, "),
            Run(
                arguments: [
                    "--device", "sim,parent=vp-vdpa,memlock=unlimited", "--cycles", "3", "--interval", "10ms",
                ],
                words: " abandoned in rings that started over, over 3 stops"),
        ])
    func verdict(run: Run) throws {
        let (outcome, report) = try self.run(run.arguments)
        #expect(outcome.status == run.status, "\(outcome.errors)")
        #expect(report.conclusion.contains(run.words), "\(report.conclusion)")
        #expect(outcome.errors.hasSuffix(report.conclusion + "\n"), "\(outcome.errors)")
        #expect(report.accounts.allSatisfy { $0.balances }, "\(report.accounts)")
    }

    @Test("Packets that do not come back end the run all the same, and are missing")
    func missingPackets() throws {
        let (outcome, report) = try run(
            ["--device", "sim,fault=loses-maps", "--packets", "2000000", "--interval", "20ms"])
        #expect(outcome.status == 1)
        #expect(report.ending == .stalled)
        #expect(report.packets.lost > 0)
        #expect(
            report.conclusion.contains("of 2,000,000 frames sent, and none came back"), "\(report.conclusion)"
        )
    }

    @Test(
        "--duration is how long a run goes on, with stops and without",
        arguments: [["--cycles", "0"], ["--interval", "50ms"]])
    func duration(cycles: [String]) throws {
        let (outcome, report) = try run(["--duration", "300ms"] + cycles)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(report.wallTime >= 300_000)
        #expect(report.trafficTime >= 300_000)
        #expect((report.cycles == 0) == (cycles == ["--cycles", "0"]))
        // Frames over the time in which they moved.
        #expect(report.throughput <= (Double(report.packets.received) / 0.3).rounded())
    }
}
