import Testing

@testable import emu

/// What a run says last, of every kind of run.
@Suite struct ConclusionTests {
    /// A report and its last line.
    struct Conclusion: Sendable, CustomTestStringConvertible {
        let line: String
        let report: RunReport
        var testDescription: String { line }
    }

    @Test(
        "The last line says what it rests on",
        arguments: [
            Conclusion(
                line: "OK: 1,234,567 frames sent, all of them back and unchanged, over 48 stops",
                report: .sample),
            Conclusion(
                line: "OK: 1 frame sent, all of them back and unchanged, over 1 stop",
                report: .sample {
                    $0.packets.sent = 1
                    $0.packets.received = 1
                    $0.cycles = 1
                }),
            Conclusion(
                line:
                    "OK: 1,234,567 frames sent, 1,232,258 back and unchanged, 2,304 abandoned in rings that started over,"
                    + " 5 dropped for want of a buffer, over 48 stops",
                report: .sample {
                    $0.packets.received -= 2309
                    $0.packets.abandoned = 2304
                    $0.accounts[1].driver.abandoned = 2600
                    $0.accounts[1].device?.noBuffer = 5
                }),
            Conclusion(
                line: "OK: 1,234,567 frames sent, all of them back and unchanged, over no stop, as asked",
                report: .sample {
                    $0.cycles = 0
                    $0.setup.cycles = 0
                }),
            Conclusion(
                line:
                    "OK: 1,234,567 frames sent, all of them back and unchanged, over 48 of 100 stops, when the time was up",
                report: .sample {
                    $0.setup.cycles = 100
                    $0.ending = .timeWasUp
                }),
            Conclusion(
                line: "OK: 1,234,567 frames sent, all of them back and unchanged, over 48 of 100 stops"
                    + " (ended early: somebody asked)",
                report: .sample {
                    $0.setup.cycles = 100
                    $0.ending = .interrupted
                    $0.interrupted = true
                }),
            Conclusion(
                line:
                    "OK: 1,234,567 frames sent, all of them back and unchanged, over 48 stops, 3 of them with every frame"
                    + " back already",
                report: .sample { $0.idleStops = 3 }),
            Conclusion(
                line:
                    "NOT SHOWN: every frame was back before the first stop, and none passed after one: send more, or stop"
                    + " sooner; 1,234,567 frames sent, all of them back and unchanged, over 48 stops, 48 of them with"
                    + " every frame back already",
                report: .sample { $0.idleStops = 48 }),
            Conclusion(
                line:
                    "OK: 1,000 frames from tap:ta@left, all of them out of tap:tb; 500 frames from tap:tb, all of them out of"
                    + " tap:ta@left, over 48 stops",
                report: .betweenTAPs()),
            Conclusion(
                line:
                    "OK: 1,000 frames from tap:ta@left, 985 out of tap:tb, 9 dropped as too long, 6 still in the ring at the"
                    + " end, over 48 stops",
                report: .betweenTAPs(back: 0) {
                    $0.accounts[1].driver.pending = 6
                    $0.accounts[1].device = .init(entered: 994, left: 985, tooLong: 9)
                }),
            Conclusion(
                line:
                    "NOT SHOWN: no stop took place, as the run ended after 1 s and the interval is 5 s; 1,234,567 frames sent,"
                    + " all of them back and unchanged",
                report: .sample {
                    $0.cycles = 0
                    $0.trafficTime = 1e6
                    $0.setup.interval = 5e6
                }),
            Conclusion(
                line: "NOT SHOWN: nothing was sent, as the guest's port is none",
                report: .betweenTAPs(out: 0, back: 0) { $0.setup.guest = "none" }),
            Conclusion(
                line: "NOT SHOWN: no frame came in at tap:ta@left or tap:tb",
                report: .betweenTAPs(out: 0, back: 0)),
            Conclusion(
                line:
                    "NOT SHOWN: no frame can come back, as the wire's port is none; 9 frames from generator, all of them taken"
                    + " by the device, over 48 stops",
                report: .betweenTAPs(out: 9, back: 0) {
                    $0.setup.guest = "generator"
                    $0.setup.wire = "none"
                }),
            Conclusion(
                line:
                    "OK: 1,234,567 frames sent, 1,234,500 back and unchanged, 67 still in the ring at the end, over 48 stops"
                    + " (ended early: somebody asked)",
                report: .sample {
                    $0.packets.received -= 67
                    $0.accounts[1].driver.pending = 67
                    $0.ending = .interrupted
                    $0.interrupted = true
                }),
            Conclusion(
                line:
                    "OK: 1,234,567 frames sent, 1,234,460 back and unchanged, 7 in broken chains, 100 dropped by the device,"
                    + " as its parent counts, over 48 stops",
                report: .sample {
                    $0.setup.wire = nil
                    for index in $0.accounts.indices { $0.accounts[index].device = nil }
                    $0.packets.received -= 107
                    $0.accounts[0].driver.malformed = 7
                    // Some are of other frames than these.
                    $0.packets.deviceDrops = 130
                }),
            Conclusion(
                line:
                    "NOT SHOWN: no frame can come back, as the wire's port is none; 9 frames from tap:ta@left, all of them"
                    + " taken by the device, over 48 stops",
                report: .betweenTAPs(out: 9, back: 0) { $0.setup.wire = "none" }),
            Conclusion(
                line:
                    "NOT SHOWN: not one frame from tap:tb came through; 1,000 frames from tap:ta@left, all of them out of"
                    + " tap:tb; 9 frames from tap:tb, 0 out of tap:ta@left, 9 filtered, over 48 stops",
                report: .betweenTAPs(back: 9) {
                    $0.accounts[0].device = .init(entered: 9, filtered: 9)
                    $0.accounts[0].driver = .init()
                }),
            Conclusion(
                line:
                    "OK: 1,234,567 frames sent, 1,234,537 back and unchanged, 30 abandoned at resets, over 48 stops, 3 of them"
                    + " with ring positions recovered",
                report: .sample {
                    $0.setup.wire = nil
                    for index in $0.accounts.indices { $0.accounts[index].device = nil }
                    $0.packets.received -= 30
                    $0.packets.abandoned = 30
                    $0.ringRecoveries = 3
                }),
            Conclusion(
                line:
                    "OK: 1,000 frames from tap:ta@left, all of them out of tap:tb; 500 frames from tap:tb, all of them out of"
                    + " tap:ta@left, over 48 stops, 3 of them with ring positions recovered",
                report: .betweenTAPs { $0.ringRecoveries = 3 }),
            // Neither a generator nor a device's own account could see a frame that goes out twice.
            Conclusion(
                line:
                    "NOT SHOWN: nothing here can tell whether a frame went out twice where ring positions were recovered; 1,000"
                    + " frames from tap:ta@left, all of them taken by the device; 500 frames from the device, all of them out of"
                    + " tap:ta@left, over 48 stops, 3 of them with ring positions recovered",
                report: .betweenTAPs {
                    $0.setup.wire = nil
                    for index in $0.accounts.indices {
                        $0.accounts[index].device = nil
                        $0.accounts[index].missingInRing = nil
                    }
                    $0.ringRecoveries = 3
                }),
            // The device's own account has what was dropped.
            Conclusion(
                line:
                    "OK: 1,234,567 frames sent, 1,234,560 back and unchanged, 5 dropped for want of a buffer, over 48"
                    + " stops",
                report: .sample {
                    $0.packets.received -= 7
                    $0.packets.deviceDrops = 5
                    $0.accounts[1].device?.noBuffer = 5
                }),
            // Buffers that wait for frames are none.
            Conclusion(
                line: "OK: 1,234,567 frames sent, 1,234,564 back and unchanged, 3 filtered, over 48 stops",
                report: .sample {
                    $0.packets.received -= 3
                    $0.accounts[0].driver.pending = 256
                    $0.accounts[0].device?.filtered = 3
                }),
            Conclusion(
                line:
                    "WRONG: 12 frames cut by the device, longer than a page or than the buffers for them",
                report: .betweenTAPs { $0.accounts[0].device?.cut = 12 }),
            Conclusion(
                line: "NOT SHOWN: no frame was sent (ended early: somebody asked)",
                report: .sample {
                    $0.packets.sent = 0
                    $0.packets.received = 0
                    $0.accounts = [.sample(0, 0), .sample(1, 0)]
                    $0.interrupted = true
                    $0.ending = .interrupted
                }),
            Conclusion(
                line: "WRONG: 2 frames lost; 1 broken chain or ring on the device's side",
                report: .sample {
                    $0.packets.lost = 2
                    $0.deviceErrors = 1
                }),
        ])
    func lastLine(conclusion: Conclusion) {
        #expect(conclusion.report.conclusion == conclusion.line)
        #expect(
            conclusion.report.status == (conclusion.line.hasPrefix("WRONG") ? .foundSomethingWrong : .done))
    }
}
