import Testing

@testable import emu

@Suite struct RunSummaryTests {
    private func text(_ change: (inout RunReport) -> Void = { _ in }) -> String {
        RunSummary(.sample(change)).text
    }

    @Test(arguments: [
        "sim, 1G of guest RAM in 6 sections, generator -> device -> loopback",
        "acknowledged: guest memory stays mapped", "0x100000000 (VERSION_1)", "0x100 (IOTLB_PERSIST)",
        "1,234,567 sent, 1,234,567 received", "0 lost, 0 duplicated, 0 corrupted, 0 abandoned, 0 dropped",
        "2.93 M packets/s over 9.8 s", "48 cycles, p50 153 µs, p99 1.31 ms",
        "6 updates, 0 invalidates in 1 batch,",
        "0 updates, 0 invalidates\n", "none", "OK: nothing lost, duplicated or corrupted, no fault",
    ])
    func `The summary says what was negotiated, moved and mapped`(words: String) {
        #expect(text().contains(words), "\(text())")
    }

    @Test(arguments: [
        (true, true, "auto", "acknowledged: guest memory stays mapped"),
        (true, false, "off", "offered, not acknowledged: every stop unmaps"),
        (false, false, "auto", "not offered: every stop unmaps"),
        (false, false, "force", "not acknowledged, and the maps are left alone all the same"),
    ])
    func `The summary says what became of the maps`(
        offered: Bool, acknowledged: Bool, policy: String, words: String
    ) {
        let text = text {
            $0.persist = .init(offered: offered, acknowledged: acknowledged)
            $0.setup.persistPolicy = policy
        }
        #expect(text.contains(words), "\(text)")
    }

    @Test func `Faults are shown with their addresses`() {
        let text = text {
            $0.faults = 1003
            $0.recentFaults = [
                .init(address: "0x1000000", access: "read", count: 2),
                .init(address: "0x2000000", access: "write", count: 1),
            ]
        }
        #expect(text.contains("1,003"))
        #expect(text.contains("read at 0x1000000, 2 times"))
        #expect(text.contains("write at 0x2000000\n"))
        #expect(text.contains("WRONG: 1,003 DMA faults"))
    }

    @Test func `Of many addresses some are shown and the rest counted`() {
        let text = text {
            $0.faults = 20
            $0.recentFaults = (0..<20).map { .init(address: "0x\($0)000", access: "read", count: 1) }
        }
        #expect(text.split(separator: "\n").count { $0.contains("read at") } == RunSummary.shownFaults)
        #expect(text.contains("and at \(20 - RunSummary.shownFaults) more addresses"))
    }

    @Test func `A run that was asked to end says so`() {
        #expect(text { $0.interrupted = true }.hasSuffix("(ended early: somebody asked)"))
    }

    @Test func `A run without cycles shows no cycle time`() {
        let text = text { $0.cycles = 0 }
        #expect(text.contains("stop and start    none"))
        #expect(!text.contains("p50"))
    }
}
