import CLinux
import Logging
import SystemPackage
import TestSupport
import Testing

@testable import VhostVDPA

/// What every call of a device comes with: a count, somebody who watches, an error that says what it was. /dev/null takes
/// none of the calls.
struct DeviceCallTests {
    /// Somebody who watches.
    final class Watcher: DeviceCallObserver {
        var calls = 0
        var requests: [UInt] = []
        var answered: [UInt] = []
        func willCall(_ request: UInt, _ argument: UInt) {
            calls += 1
            requests.append(request)
        }
        func didCall(_ request: UInt, _ argument: UInt) { answered.append(request) }
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
        if isWatched { device.watch(with: watcher) }
        let error = #expect(throws: VhostVDPAError.self) { try device.setSize(256, of: 1) }
        #expect(error?.call == "SET_VRING_NUM(index: 1, num: 256)")
        #expect(error?.errno == .inappropriateIOCTLForDevice)
        #expect(device.counts.ioctls == 1)
        #expect(watcher.calls == (isWatched ? 1 : 0))
    }

    /// A device that a signal interrupts so many times in a row.
    private final class InterruptedDevice: DeviceDouble {
        var interruptions: Int
        private(set) var calls = 0
        init(_ interruptions: Int) { self.interruptions = interruptions }
        func ioctl(_ request: UInt, _ argument: UInt) throws(Errno) -> Int32 {
            calls += 1
            guard interruptions > 0 else { return 0 }
            interruptions -= 1
            throw .interrupted
        }
    }

    @Test("an ioctl that a signal interrupts is made again, and seen once", arguments: [0, 1, 1000])
    func interrupted(times: Int) throws {
        let file = InterruptedDevice(times)
        let device = VhostVDPADevice(file, logger: Logger(label: "interrupted"))
        let watcher = Watcher()
        device.watch(with: watcher)
        try device.suspend()
        #expect(file.calls == times + 1 && device.counts.ioctls == 1)
        #expect(watcher.calls == 1 && watcher.answered.count == 1)
    }

    @Test("an ioctl that is interrupted every time is refused with EINTR")
    func interruptedForEver() throws {
        let file = InterruptedDevice(.max)
        let device = VhostVDPADevice(file, logger: Logger(label: "interrupted"))
        let error = #expect(throws: VhostVDPAError.self) { try device.suspend() }
        #expect(error?.errno == .interrupted && file.calls == 1001)
    }

    @Test("one who watches sees every call until it looks away")
    func watching() throws {
        let device = VhostVDPADevice(try KernelFile(anyDevice: "/dev/null"), logger: Logger(label: "plain"))
        let watcher = Watcher()
        try? device.suspend()
        device.watch(with: watcher)
        try? device.suspend()
        device.watch(with: nil)
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

    @Test(
        "the configuration space's calls are calls like any other: counted, seen before and after, named when they fail"
    )
    func configuration() throws {
        let raw = RawDevice()
        let device = VhostVDPADevice(raw, logger: Logger(label: "plain"))
        let watcher = Watcher()
        device.watch(with: watcher)
        _ = try device.configuration(offset: 2, count: 4)
        try device.setConfiguration(offset: 6, [1, 2, 3, 0xab])
        #expect(watcher.requests == [clinux_vdpa_get_config, clinux_vdpa_set_config])
        #expect(watcher.answered == watcher.requests)
        raw.error = .invalidArgument
        let read = #expect(throws: VhostVDPAError.self) { _ = try device.configuration(offset: 2, count: 4) }
        #expect(read?.call == "GET_CONFIG(offset: 2, length: 4)")
        let write = #expect(throws: VhostVDPAError.self) {
            try device.setConfiguration(offset: 6, [1, 2, 3, 0xab])
        }
        #expect(write?.call == "SET_CONFIG(offset: 6, bytes: 010203ab)")
        #expect(watcher.answered.count == 2)
        #expect(device.counts.ioctls == 4)
    }
}
