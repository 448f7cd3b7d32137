import Testing

@testable import emu

@Suite struct RunSummaryTests {
    private func text(_ change: (inout RunReport) -> Void = { _ in }) -> String {
        RunSummary(.sample(change)).text
    }

    @Test(
        "The summary says what was negotiated, moved and mapped",
        arguments: [
            "sim, 1G of guest RAM in 6 sections, generator -> device -> loopback",
            "acknowledged: guest memory stays mapped", "0x100000000 (VERSION_1)", "0x100 (IOTLB_PERSIST)",
            "1,234,567 sent, 1,234,567 received", "0 lost, 0 duplicated, 0 corrupted, 0 abandoned, 0 dropped",
            "123 k packets/s over 10 s, stops included (running time 9.8 s, wall time 10 s)",
            "48 cycles, p50 153 µs, max 1.31 ms\n",
            "queue 0, receive   device 1,234,567 in, all out; driver 1,234,567 in, all out\n",
            "queue 1, transmit  driver 1,234,567 in, all out; device 1,234,567 in, all out\n",
            "6 updates, 0 invalidates in 1 batch,",
            "0 updates, 0 invalidates\n", "none",
            "OK: 1,234,567 frames sent, all of them back and unchanged, over 48 stops",
        ])
    func negotiated(words: String) {
        #expect(text().contains(words), "\(text())")
    }

    @Test(
        "The summary says what became of the maps",
        arguments: [
            (true, true, "auto", "acknowledged: guest memory stays mapped"),
            (true, false, "off", "offered, not acknowledged: every stop unmaps"),
            (false, false, "auto", "not offered: every stop unmaps"),
            (false, false, "force", "not acknowledged, and the maps are left alone all the same"),
        ])
    func maps(offered: Bool, acknowledged: Bool, policy: String, words: String) {
        let text = text {
            $0.persist = .init(offered: offered, acknowledged: acknowledged)
            $0.setup.persistPolicy = policy
        }
        #expect(text.contains(words), "\(text)")
    }

    @Test("Faults are shown with their addresses")
    func faults() {
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

    @Test("Of many addresses some are shown and the rest counted")
    func manyFaults() {
        let text = text {
            $0.faults = 20
            $0.recentFaults = (0..<20).map { .init(address: "0x\($0)000", access: "read", count: 1) }
        }
        #expect(text.split(separator: "\n").count { $0.contains("read at") } == RunSummary.shownFaults)
        #expect(text.contains("and at \(20 - RunSummary.shownFaults) more addresses"))
    }

    @Test("A run that was asked to end says so")
    func interrupted() {
        #expect(text { $0.interrupted = true }.hasSuffix("(ended early: somebody asked)"))
    }

    @Test("A run without cycles shows no cycle time")
    func withoutCycles() {
        let text = text {
            $0.cycles = 0
            $0.cycleTime = nil
        }
        #expect(text.contains("stop and start     none\n"))
        #expect(!text.contains("p50"))
    }

    @Test("From 100 samples on there is a p99, before it the longest alone")
    func percentile() {
        let text = text { $0.cycleTime = .init(p50: 152.5, p99: 900, max: 1310) }
        #expect(text.contains("p50 153 µs, p99 900 µs, max 1.31 ms\n"), "\(text)")
    }

    @Test("A queue's line names every counter that holds a frame")
    func queueLine() {
        let text = text {
            $0.accounts[1].driver = .init(entered: 1000, left: 900, abandoned: 60, pending: 40)
            $0.accounts[1].device = .init(
                entered: 900, left: 885, noBuffer: 1, refused: 2, tooLong: 3, malformed: 4, filtered: 5,
                missing: 0)
        }
        #expect(
            text.contains(
                "queue 1, transmit  driver 1,000 in, 900 out, 60 abandoned in rings that started over"
                    + " or with a worker that stopped, 40 still in the ring at the end; device 900 in, 885 out, 1 dropped for want of a buffer, 2 refused by the port, 3 dropped"
                    + " as too long, 4 in broken chains, 5 filtered\n"), "\(text)")
    }

    @Test("Many queues have a line for each direction, and each that does not balance one more")
    func manyQueues() {
        let text = text { report in
            report.accounts = (0..<12).map { .sample($0, 100) }
            report.accounts[7].driver.missing = 3
        }
        #expect(
            text.contains("6 queues, receive   device 600 in, all out; driver 600 in, all out\n"), "\(text)")
        #expect(
            text.contains(
                "6 queues, transmit  driver 600 in, all out, 3 in no counter; device 600 in, all out\n"),
            "\(text)")
        #expect(text.contains("queue 7, transmit   driver 100 in, all out, 3 in no counter; "), "\(text)")
        #expect(!text.contains("queue 5,"))
        let ring = self.text { report in
            report.accounts = (0..<12).map { .sample($0, 100) }
            report.accounts[2].missingInRing = 7
        }
        #expect(ring.contains("queue 2, receive ") && !ring.contains("queue 4,"), "\(ring)")
    }

    @Test("A real device keeps no account, and the driver's stands alone")
    func realDevice() {
        let text = text { report in
            for index in report.accounts.indices {
                report.accounts[index].device = nil
                report.accounts[index].missingInRing = nil
            }
        }
        #expect(text.contains("queue 0, receive   driver 1,234,567 in, all out\n"), "\(text)")
    }

    @Test("Remarks have a line each")
    func remarks() {
        let text = text { $0.remarks = ["the machine was busy", "two groups"] }
        #expect(text.contains("remark             the machine was busy\n"), "\(text)")
        #expect(text.contains("remark             two groups\n"), "\(text)")
    }
}
