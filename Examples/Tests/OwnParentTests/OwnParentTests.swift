import Logging
import OwnParent
import SimulatedVDPA
import SystemPackage
import Testing
import VhostVDPAConformance

/// The rules that every vhost-vdpa device must obey, asked of a device of one's own from one's own tests.
@Suite("A parent driver of one's own", .serialized)
struct OwnParentTests {
    /// What the rules say of a device that `parent` drives.
    private func reports(on parent: OwnParent) throws -> [RuleReport] {
        // Most rules are about what is refused; that is no news here.
        var logger = Logger(label: "own-parent")
        logger.logLevel = .warning
        let device = try SimulatedVDPADevice(parent: parent, kernel: .v6_12, logger: logger)
        return try RuleBook.check(
            DeviceOpener(kernel: KernelRelease(6, 12)) { () throws(Errno) in try device.open() })
    }

    @Test("It obeys every rule that can be asked of it")
    func rules() throws {
        let reports = try reports(on: OwnParent())
        let failed = reports.filter(\.outcome.isFailure)
        #expect(failed.isEmpty, "\(failed)")
        let passed = reports.count { $0.outcome == .passed }
        print(
            "\(passed) rules passed, \(reports.count - passed) say nothing of a device that moves no frames")
        #expect(passed > 30)
    }

    @Test("One whose reset leaves the status as it was is found out")
    func statusOverReset() throws {
        let failed = try reports(on: OwnParent(keepsStatus: true)).filter(\.outcome.isFailure)
        for report in failed { print(report) }
        #expect(failed.contains { $0.rule.topic == .status })
    }
}
