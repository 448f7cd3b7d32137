import GuestMemory
import Testing

@testable import emu

@Suite struct VerdictTests {
    /// Something a run can find, and the words for it.
    struct Finding: Sendable, CustomTestStringConvertible {
        let words: String
        let change: @Sendable (inout RunReport) -> Void
        var testDescription: String { words }
    }

    @Test("A run that found nothing is done")
    func done() {
        let report = RunReport.sample { _ in }
        #expect(report.problems.isEmpty)
        #expect(report.status == .done)
    }

    @Test(
        "Whatever is wrong is named and makes the status 1",
        arguments: [
            Finding(words: "1,000 DMA faults") { $0.faults = 1000 },
            Finding(words: "1 DMA fault:") { $0.faults = 1 },
            Finding(words: "1 frame corrupted") { $0.packets.corrupted = 1 },
            Finding(words: "2 frames lost") { $0.packets.lost = 2 },
            Finding(words: "3 frames duplicated") { $0.packets.duplicated = 3 },
            Finding(words: "4 frames received that nobody sent") { $0.unsent = 4 },
            Finding(words: "1 broken chain or ring on the device's side") { $0.deviceErrors = 1 },
            Finding(words: "2 broken chains or rings on the driver's side") { $0.driverErrors = 2 },
            Finding(words: "the device asked for a reset once: rings started over, 256 frames abandoned") {
                $0.recoveries = 1
                $0.packets.abandoned = 256
            },
            Finding(
                words: "the device failed to suspend 10 times: rings started over, 2,304 frames abandoned"
            ) {
                $0.failedSuspends = 10
                $0.ringRestarts = 10
                $0.packets.abandoned = 2304
            },
            Finding(words: "the device failed to suspend 11 times: ring positions recovered in 10 stops") {
                $0.failedSuspends = 11
                $0.ringRecoveries = 10
            },
            Finding(
                words: "ring positions recovered in 1 stop; rings started over, 256 frames abandoned"
            ) {
                $0.failedSuspends = 1
                $0.ringRecoveries = 1
                $0.recoveries = 1
                $0.packets.abandoned = 256
            },
            Finding(
                words:
                    "the device failed to suspend 3 times: ring positions recovered in 3 stops, 30 frames abandoned"
            ) {
                $0.failedSuspends = 3
                $0.ringRecoveries = 3
                $0.packets.abandoned = 30
            },
            Finding(words: "3 frames duplicated, as can be where ring positions are recovered (2 stops)") {
                $0.packets.duplicated = 3
                $0.ringRecoveries = 2
            },
            Finding(words: "4,096 more bytes pinned at the end") { $0.resources.pinned?.last = 4096 },
            Finding(words: "1 more open descriptors at the end") { $0.resources.descriptors?.last = 10 },
            Finding(words: "not one frame came back") { $0.packets.received = 0 },
            Finding(words: "not one frame was sent") {
                $0.packets.sent = 0
                $0.packets.received = 0
            },
            Finding(
                words: "queue 1 (transmit): of 1,234,567 frames on the driver's side 12 are in no counter"
            ) {
                $0.accounts[1].driver.missing = 12
            },
            Finding(
                words:
                    "queue 0 (receive): of 1,234,567 frames on the device's side 3 more came out than went in"
            ) {
                $0.accounts[0].device?.missing = -3
            },
            Finding(words: "queue 0 (receive): between driver and device 7 are in no counter") {
                $0.accounts[0].missingInRing = 7
            },
            Finding(words: "508,672 of 100,000,000 frames sent when the time was up") {
                $0.setup.packets = 100_000_000
                $0.packets.sent = 508_672
                $0.packets.received = 508_672
                $0.ending = .timeWasUp
            },
            Finding(words: "5 of 1,000 frames sent, and none came back for so long that the run ended") {
                $0.setup.packets = 1000
                $0.packets.sent = 5
                $0.ending = .stalled
            },
            Finding(words: "the run broke off: a call failed") {
                $0.ending = .brokeOff
                $0.failure = "a call failed"
                // Of the moment, and nothing that could be held against it.
                $0.accounts[1].driver.missing = 12
            },
            Finding(
                words: "the network namespace of tap:ta@left was deleted, and what went there reached nobody"
            ) {
                $0.lostPorts = ["tap:ta@left"]
            },
            Finding(words: "the device went away (vdpa dev del?)") { $0.ending = .deviceWentAway },
            Finding(words: "200 frames stood in the transmit rings, and the device did not take them") {
                $0.untaken = 200
            },
            Finding(words: "256 frames lost") {
                $0.packets.lost = 256
                $0.untaken = 256
            },
            Finding(words: "7 frames cut by the device") { $0.accounts[0].device?.cut = 7 },
            Finding(words: "5 of 1,000 frames sent, and none was taken for so long that the run ended") {
                $0.setup.wire = "tap:tb"
                $0.setup.packets = 1000
                $0.packets.sent = 5
                $0.ending = .stalled
            },
        ])
    func wrong(finding: Finding) {
        let report = RunReport.sample(finding.change)
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.contains(finding.words) == true, "\(report.problems)")
        #expect(report.status == .foundSomethingWrong)
        #expect(report.status.rawValue == 1)
    }

    @Test("Of a run that broke off neither what was to be sent nor accounts of the moment are wrong")
    func brokenOff() {
        let report = RunReport.sample {
            $0.ending = .brokeOff
            $0.failure = "a call failed"
            $0.setup.packets = 2_000_000
            $0.accounts[1].driver.missing = 12
        }
        #expect(report.problems == ["the run broke off: a call failed"])
    }

    @Test("A last stop without positions, of rings that go on nowhere, has started nothing over")
    func lastStop() {
        let report = RunReport.sample { $0.failedSuspends = 1 }
        #expect(report.problems == ["the device failed to suspend once"])
    }

    @Test(
        "What is accounted for is not wrong",
        arguments: [
            Finding(words: "abandoned frames") { $0.packets.abandoned = 9 },
            Finding(words: "frames in a named drop counter") { $0.accounts[1].device?.tooLong = 9 },
            Finding(words: "fewer frames than asked for when somebody asked to end") {
                $0.interrupted = true
                $0.setup.packets = 9_999_999
            },
            Finding(words: "fewer stops than asked for when the time is up") {
                $0.setup.cycles = 1000
                $0.ending = .timeWasUp
            },
            Finding(words: "what was given back") { $0.resources.descriptors?.last = 8 },
            Finding(words: "what the kernel does not say") { $0.resources = .init() },
            Finding(words: "nothing back from a wire that returns nothing") {
                $0.setup.wire = "none"
                $0.packets.received = 0
            },
            Finding(words: "nothing back yet when somebody asked to end") {
                $0.interrupted = true
                $0.packets.received = 0
            },
        ])
    func accountedFor(finding: Finding) {
        #expect(RunReport.sample(finding.change).status == .done)
    }

    @Test("Frames that a TAP refuses are wrong, with its name, the kernel's answer and the command")
    func refusingTAP() {
        let report = RunReport.betweenTAPs {
            $0.accounts[0].driver.refused = 50
            $0.accounts[0].driver.lastRefusal = 5
            $0.accounts[0].driver.left -= 50
            $0.accounts[1].device?.lastRefusal = 77
        }
        #expect(
            report.problems == [
                "50 frames refused by tap:ta@left (Input/output error: the interface is down; bring it up with"
                    + " 'ip -n left link set ta up')",
                "tap:tb failed (File descriptor in bad state: the interface is gone, it or its network namespace was"
                    + " deleted; make it again and run anew)",
            ])
        #expect(report.status == .foundSomethingWrong)
    }

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

    @Test("Equal faults are counted as one, the most frequent first")
    func equalFaults() {
        func fault(_ address: UInt64, _ access: MemoryAccess) -> TranslationFault {
            TranslationFault(address: IOVirtualAddress(rawValue: address), access: access)
        }
        let faults = [
            fault(0x2000, .write), fault(0x1000, .read), fault(0x3000, .read), fault(0x2000, .write),
        ]
        #expect(
            RunReport.Fault.summary(of: faults) == [
                RunReport.Fault(address: "0x2000", access: "write", count: 2),
                RunReport.Fault(address: "0x1000", access: "read", count: 1),
                RunReport.Fault(address: "0x3000", access: "read", count: 1),
            ])
    }
}
