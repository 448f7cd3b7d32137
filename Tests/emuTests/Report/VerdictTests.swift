import GuestMemory
import Testing
import VirtioNet

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

    @Test(
        "A TAP that refuses and is not where it was is told of without a command for the place where it was")
    func movedTAP() {
        var report = RunReport.betweenTAPs {
            $0.accounts[0].driver.refused = 50
            $0.accounts[0].driver.lastRefusal = 5
            $0.accounts[0].driver.left -= 50
        }
        report.judge(moved: [.tap(name: "ta", namespace: "left")])
        #expect(report.problems.count == 1 && report.problems[0].contains("bring it up where it is now"))
        #expect(!report.problems[0].contains("ip -n left"))
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
