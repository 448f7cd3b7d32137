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

    @Test func `A run that found nothing is done`() {
        let report = RunReport.sample { _ in }
        #expect(report.problems.isEmpty)
        #expect(report.status == .done)
    }

    @Test(arguments: [
        Finding(words: "1,000 DMA faults") { $0.faults = 1000 },
        Finding(words: "1 packets corrupted") { $0.packets.corrupted = 1 },
        Finding(words: "2 packets lost") { $0.packets.lost = 2 },
        Finding(words: "3 packets duplicated") { $0.packets.duplicated = 3 },
        Finding(words: "4 packets received that nobody sent") { $0.unsent = 4 },
        Finding(words: "on the device's side") { $0.deviceErrors = 1 },
        Finding(words: "on the driver's side") { $0.driverErrors = 1 },
        Finding(words: "1 times the device asked for a reset") { $0.recoveries = 1 },
        Finding(words: "4,096 more bytes pinned at the end") { $0.resources.pinned?.last = 4096 },
        Finding(words: "1 more open descriptors at the end") { $0.resources.descriptors?.last = 10 },
        Finding(words: "not one packet came back") { $0.packets.received = 0 },
    ])
    func `Whatever is wrong is named and makes the status 1`(finding: Finding) {
        let report = RunReport.sample(finding.change)
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.contains(finding.words) == true, "\(report.problems)")
        #expect(report.status == .foundSomethingWrong)
        #expect(report.status.rawValue == 1)
    }

    @Test(arguments: [
        Finding(words: "abandoned packets") { $0.packets.abandoned = 9 },
        Finding(words: "packets in a named drop counter") { $0.packets.deviceDrops = 9 },
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
    func `What is accounted for is not wrong`(finding: Finding) {
        #expect(RunReport.sample(finding.change).status == .done)
    }

    @Test func `Equal faults are counted as one, the most frequent first`() {
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
