import CLinux
import Logging
import SystemPackage
import Testing

@testable import VhostVDPA

/// Calls of the kernel's own file, which go past the seam where nobody sees them. /dev/null takes none of them.
struct PlainCallTests {
    /// Somebody who watches.
    final class Watcher: DeviceCallObserver {
        var calls = 0
        func willCall(_ request: UInt, _ argument: UInt) { calls += 1 }
        func didCall(_ request: UInt, _ argument: UInt) {}
        func willSend(_ message: IOTLBMessage) {}
    }

    @Test(
        "a call that fails says which it was and what the kernel answered, seen or not",
        arguments: [(false, Logger.Level.warning), (true, .warning), (false, .debug)])
    func failure(isWatched: Bool, level: Logger.Level) throws {
        var logger = Logger(label: "plain") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = level
        let device = VhostVDPADevice(try KernelFile(anyDevice: "/dev/null"), logger: logger)
        let watcher = Watcher()
        if isWatched { device.observer = watcher }
        let error = #expect(throws: VhostVDPAError.self) { try device.setSize(256, of: 1) }
        #expect(error?.call == "SET_VRING_NUM(index: 1, num: 256)")
        #expect(error?.errno == .inappropriateIOCTLForDevice)
        #expect(device.counts.ioctls == 1)
        #expect(watcher.calls == (isWatched ? 1 : 0))
    }

    @Test("one who watches sees every call until it looks away")
    func watching() throws {
        let device = VhostVDPADevice(try KernelFile(anyDevice: "/dev/null"), logger: Logger(label: "plain"))
        let watcher = Watcher()
        try? device.suspend()
        device.observer = watcher
        try? device.suspend()
        device.observer = nil
        try? device.suspend()
        #expect(watcher.calls == 1)
        #expect(device.counts.ioctls == 3)
    }

    @Test(
        "after a close every call is EBADF, and asks no descriptor that has the number by then, whoever closed the file",
        arguments: [true, false])
    func closed(byDevice: Bool) throws {
        let file = try KernelFile(anyDevice: "/dev/null")
        let device = VhostVDPADevice(file, logger: Logger(label: "plain"))
        if byDevice { device.close() } else { file.close() }
        // What /dev/null, or any other file with the number, would answer is ENOTTY.
        let others = try (0..<8).map { _ in try KernelFile(anyDevice: "/dev/null") }
        let error = #expect(throws: VhostVDPAError.self) { try device.suspend() }
        #expect(error?.errno == .badFileDescriptor)
        others.forEach { $0.close() }
    }
}
