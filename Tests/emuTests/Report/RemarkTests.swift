import EmulatedMachine
import Testing

@testable import emu

@Suite struct RemarkTests {
    @Test(
        "A busy machine is remarked on where threads waited for a fifth of their time",
        arguments: [
            (nil, 1, nil), (0.0, 1, nil), (0.19, 1, nil), (0.2, 1, "20 %"), (0.341, 1, "34 %"),
            (0.98, 64, "98 %"),
        ])
    func busyMachine(share: Double?, queues: Int, percent: String?) {
        let remark = RunReport.busy(share, queues: queues)
        guard let percent else {
            #expect(remark == nil)
            return
        }
        #expect(
            remark?.hasPrefix(
                "the machine was busy: emu's threads waited for a processor \(percent) of the time in which they had work"
            )
                == true)
        #expect(remark?.contains("each of 64 queue pairs wants two") == (queues == 64))
    }

    @Test("Stops and starts that fall into two groups are remarked on")
    func twoGroups() {
        var durations = DurationHistogram()
        for _ in 0..<20 { durations.record(.microseconds(400)) }
        #expect(RunReport.groups(durations) == nil)
        for _ in 0..<20 { durations.record(.milliseconds(3)) }
        #expect(
            RunReport.groups(durations)
                == "stops and starts took about 400 µs or about 3 ms, and nothing in between: the median tells of one only"
        )
    }
}
