import DeviceScripts
import Foundation
import Testing

@testable import emu

@Suite struct KnownDifferenceTests {
    private static let take = ScriptStep.take("call")

    @Test(
        "A call that a kernel has counted beyond what a process can is row 8, by the call and by both answers"
    )
    func eventFD() {
        #expect(KnownDifference.row(of: Self.take, kernel: .number(.max), simulated: .number(.max - 1)) == 8)
    }

    /// A step and what a kernel and a simulated device answered.
    struct Answers: Sendable {
        let step: ScriptStep
        let kernel: ScriptAnswer
        let simulated: ScriptAnswer
    }

    private static let others = [
        Answers(step: take, kernel: .number(.max - 1), simulated: .number(.max)),
        Answers(step: take, kernel: .number(.max), simulated: .number(.max - 2)),
        Answers(step: take, kernel: .number(.max), simulated: .ok),
        Answers(step: take, kernel: .number(2), simulated: .number(1)),
        Answers(step: .settle, kernel: .number(.max), simulated: .number(.max - 1)),
    ]

    @Test(
        "Nothing else is known: another call, another answer, the answers the other way round",
        arguments: others)
    func nothingElse(_ answers: Answers) {
        let row = KnownDifference.row(
            of: answers.step, kernel: answers.kernel, simulated: answers.simulated)
        #expect(row == nil)
    }

    @Test("The row is the document's that speaks of it")
    func document() throws {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let text = try String(
            contentsOf: root.appending(path: "docs/simulated-devices.md"), encoding: .utf8)
        #expect(text.contains("\n| 8 | a call adds to its eventfd "))
    }

    @Test(
        "A known difference is counted and named, and is no fault; any other has the command that plays it again"
    )
    func verdict() {
        var report = RandomReplayReport(
            device: "/dev/vhost-vdpa-0", against: "sim,profile=vdpasim-net", seed: "30", scripts: 2,
            played: 2,
            callsEach: 300, calls: 640, successShare: 80, answers: 500, neverAsked: [],
            known: [.init(row: 8, answers: 1, seed: "31")], differing: 0, kinds: [], interrupted: false,
            problems: [])
        #expect(report.status == .done)
        #expect(report.verdict.contains("none differs"))
        #expect(
            report.verdict.hasSuffix(
                "1 difference of row 8 of \"Does not imitate\" (docs/simulated-devices.md), first from seed 31"
            ))
        report.differing = 1
        report.kinds = [
            .init(call: "take call", expected: "1", seen: "2", scripts: 1, seed: "30", script: "open -> ok\n")
        ]
        #expect(report.status == .foundSomethingWrong)
        #expect(
            report.verdict.contains(
                "again: emu replay --random 1 --calls 300 --seed 30 --device /dev/vhost-vdpa-0 --against sim,profile=vdpasim-net;"
            ))
    }
}
