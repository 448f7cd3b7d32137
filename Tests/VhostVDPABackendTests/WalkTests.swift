import CProfile
import Testing
import VhostVDPA
import VhostVDPABackend

/// What a stop enters down to the device's file; `scripts/test --walks` prints the files.
@Suite(
    "The walk from a stop to the ioctl",
    .enabled(if: cprofile_is_wanted(), "measured by scripts/test --walks"), .serialized)
struct WalkTests {
    @Test("with the maps kept, and with all of them removed", arguments: [true, false])
    func stop(keepsMaps: Bool) throws {
        let device = RecordingDevice()
        if !keepsMaps { device.backendFeatures.remove(.iotlbPersist) }
        let harness = try Harness(device)
        try harness.start()
        _ = device.takeTrace()

        try #require(cprofile_begin(), "the tests were built without coverage")
        try harness.backend.stop()
        let name = keepsMaps ? "stop-to-ioctl-maps-kept" : "stop-to-ioctl-maps-removed"
        #expect(unsafe cprofile_end(name) == 0)
        #expect(device.takeTrace().contains { $0.hasPrefix("INVALIDATE") } == !keepsMaps)
    }
}
