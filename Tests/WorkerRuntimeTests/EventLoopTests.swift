import Glibc
import LinuxHost
import SystemPackage
import Testing

@testable import IOUring
@testable import WorkerRuntime

/// What a worker waits for, and what it must not sleep on.
@Suite("An event loop", .timeLimit(.minutes(15)))
final class EventLoopTests {
    private let commands: EventFD
    private let port: EventFD
    private let signal: EventFD

    init() throws {
        commands = try EventFD()
        port = try EventFD()
        signal = try EventFD()
    }

    private func makeLoop() throws -> EventLoop {
        var loop = try EventLoop(
            commands: commands.descriptor, port: port.descriptor, signals: 3, batchSize: 8)
        loop.hasCommands = false
        return loop
    }

    /// Makes port I/O that finds nothing, which collects the loop's other events as well, until `isNoted`.
    private func makeBatches(
        _ loop: inout EventLoop, until isNoted: (borrowing EventLoop) -> Bool
    ) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { bytes in
            for _ in 0..<10_000 where !isNoted(loop) {
                loop.beginBatch()
                _ = unsafe loop.read(into: bytes)
                loop.waitForBatch()
            }
            return isNoted(loop)
        }
    }

    @Test("does not sleep on a command that came with the results of a batch")
    func commandWithABatch() throws {
        var loop = try makeLoop()
        commands.signal()
        let isNoted = makeBatches(&loop) { $0.hasCommands }
        let isAwake = loop.sleep(timeout: .milliseconds(20))
        #expect(isNoted && isAwake)
    }

    @Test("does not sleep on a kick or a call that came with the results of a batch", arguments: 0..<3)
    func signalWithABatch(queue: Int) throws {
        var loop = try makeLoop()
        loop.bind(signal.descriptor, signal: queue)
        signal.signal()
        let isNoted = makeBatches(&loop) { $0.hasSignals }
        let isAwake = loop.sleep(timeout: .milliseconds(20))
        #expect(isNoted && isAwake)
        // Taken, it is no news any more.
        let count = loop.takeSignals(queue)
        let isAwakeAgain = loop.sleep(timeout: .milliseconds(20))
        #expect(count == 1 && !isAwakeAgain)
    }

    /// Makes a call to the kernel that is answered with `errno`.
    private func refuse(_ loop: inout EventLoop, _ errno: Errno) {
        loop.enter { _ throws(IOUringError) in throw .enter(errno) }
    }

    @Test(
        "a call refused for the moment is tried again: commands are looked at, and nothing has failed",
        arguments: [Errno.resourceTemporarilyUnavailable, .resourceBusy, .interrupted])
    func refusedForTheMoment(errno: Errno) throws {
        var loop = try makeLoop()
        for _ in 0..<3 {
            loop.hasCommands = false
            refuse(&loop, errno)
            let (hasFailed, hasCommands) = (loop.hasFailed, loop.hasCommands)
            #expect(!hasFailed && hasCommands)
        }
        loop.hasCommands = false
        port.signal()
        loop.sleep()
        let isPortReadable = loop.isPortReadable
        #expect(isPortReadable)
    }

    @Test(
        "a call refused for the moment again and again fails in the end, by its errno",
        arguments: [Errno.resourceTemporarilyUnavailable, .resourceBusy, .interrupted])
    func refusedForEver(errno: Errno) throws {
        var loop = try makeLoop()
        for _ in 0...RefusalPatience.refusalLimit { refuse(&loop, errno) }
        let failure = loop.failure
        #expect(failure?.errno == errno && failure?.call == "io_uring_enter")
    }

    @Test(
        "a call interrupted a thousand times, again and again, is given up sooner than one refused for the moment"
    )
    func interruptedForEver() throws {
        var loop = try makeLoop()
        for _ in 0..<RefusalPatience.interruptionLimit { refuse(&loop, .interrupted) }
        let hadFailed = loop.hasFailed
        #expect(!hadFailed)
        refuse(&loop, .interrupted)
        let failure = loop.failure
        #expect(failure?.errno == .interrupted && failure?.call == "io_uring_enter")
    }

    @Test("a call that succeeds in between ends the count of those interrupted")
    func interruptedNowAndThen() throws {
        var loop = try makeLoop()
        for _ in 0..<3 {
            for _ in 0..<RefusalPatience.interruptionLimit { refuse(&loop, .interrupted) }
            loop.enter { _ throws(IOUringError) in }
        }
        let hasFailed = loop.hasFailed
        #expect(!hasFailed)
    }

    @Test(
        "a call refused for good ends the loop in order: a batch gets the errno, later calls do nothing, commands come",
        arguments: [2, 9, 12, 14, 22, 6, 95, 77, 17, 1, 38].map(Errno.init(rawValue:)))
    func refusedForGood(errno: Errno) throws {
        var loop = try makeLoop()
        unsafe withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { bytes in
            _ = unsafe loop.read(into: bytes)
            refuse(&loop, errno)
            // The first failure stays.
            refuse(&loop, .ioError)
            _ = unsafe loop.read(into: bytes)
            loop.waitForBatch()
            let results = (loop.result(0), loop.result(1))
            #expect(results == (-errno.rawValue, -errno.rawValue))
        }
        let failure = loop.failure
        let cause = try #require(failure)
        #expect(cause.errno == errno)
        #expect("\(WorkerFailure(worker: "w", cause))".contains("io_uring_enter"))
        loop.collect()
        loop.bind(signal.descriptor, signal: 0)
        let isAwake = loop.sleep()
        #expect(isAwake)
        commands.signal()
        loop.hasCommands = false
        loop.waitForCommands()
        let hasCommands = loop.hasCommands
        #expect(hasCommands)
        // Taken: the next wait does not return before the next command.
        #expect(commands.drain() == 0)
    }

    @Test("a port whose file is in error is looked at once, and polled no more")
    func brokenPort() throws {
        // Its other end is gone, as the interface of a TAP that was deleted.
        let (file, otherEnd) = try FileDescriptor.pipe()
        defer { try? file.close() }
        try otherEnd.close()
        var loop = try EventLoop(commands: commands.descriptor, port: file, signals: 3, batchSize: 8)
        loop.hasCommands = false
        loop.sleep()
        let isReadable = loop.isPortReadable
        #expect(isReadable)
        loop.isPortReadable = false
        let isAwake = loop.sleep(timeout: .milliseconds(20))
        #expect(!isAwake)
        refusePortPoll(&loop)
        loop.isPortReadable = false
        let isAwakeAgain = loop.sleep(timeout: .milliseconds(20))
        #expect(!isAwakeAgain)
    }

    /// Ends the port's poll with an error that says nothing about the port.
    private func refusePortPoll(_ loop: inout EventLoop) {
        loop.enter { ring throws(IOUringError) in
            _ = ring.cancel(UserData(kind: 2))
            try ring.submitAndPoll()
        }
        loop.collect()
    }

    @Test("a poll of the port that was refused is made again: what comes later is seen")
    func portPollRefused() throws {
        var loop = try makeLoop()
        for _ in 0..<3 { refusePortPoll(&loop) }
        loop.sleep(timeout: .milliseconds(20))
        loop.isPortReadable = false
        port.signal()
        for _ in 0..<3 where !loop.isPortReadable { loop.sleep(timeout: .seconds(1)) }
        let (isPortReadable, hasFailed) = (loop.isPortReadable, loop.hasFailed)
        #expect(isPortReadable && !hasFailed)
    }

    @Test("polls of the port that are refused again and again are told as that, by errno, and end the loop")
    func portPollRefusedForEver() throws {
        var loop = try makeLoop()
        for _ in 0...2 * RefusalPatience.failedPollLimit { refusePortPoll(&loop) }
        let failure = loop.failure
        let cause = try #require(failure)
        #expect(cause.errno == .canceled && cause.call == "io_uring poll")
        #expect("\(WorkerFailure(worker: "w", cause))".contains("its port"))
    }

    @Test("a port that is released is nobody's once its descriptor is closed, while the ring lives on")
    func releasedPort() throws {
        let (file, otherEnd) = try FileDescriptor.pipe()
        defer { try? otherEnd.close() }
        var loop = try EventLoop(commands: commands.descriptor, port: file, signals: 3, batchSize: 8)
        loop.hasCommands = false
        let isAwake = loop.sleep(timeout: .milliseconds(1))
        loop.releasePort()
        try file.close()
        // To the writing end of a pipe that has no reader any more: a child of another test's may be one for a moment.
        var event = pollfd(fd: otherEnd.rawValue, events: 0, revents: 0)
        let count = unsafe poll(&event, 1, 10_000)
        #expect(!isAwake && count == 1 && event.revents & Int16(POLLERR) != 0)
        // The rest of the loop goes on; a second release has nothing to do.
        loop.releasePort()
        commands.signal()
        loop.sleep()
        let (hasCommands, hasFailed) = (loop.hasCommands, loop.hasFailed)
        #expect(hasCommands && !hasFailed)
    }

    @Test("sleeps until there is an event, and tells a time that is over from one")
    func sleepEnds() throws {
        var loop = try makeLoop()
        let isAwake = loop.sleep(timeout: .milliseconds(20))
        port.signal()
        let isAwakeByEvent = loop.sleep()
        let isPortReadable = loop.isPortReadable
        #expect(!isAwake && isAwakeByEvent && isPortReadable)
    }
}
