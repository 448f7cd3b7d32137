import LinuxHost
import SystemPackage
import Testing

@testable import IOUring
@testable import WorkerRuntime

/// What a loop polls, and what it makes of a poll that ends.
@Suite("An event loop's polls", .timeLimit(.minutes(15)))
final class EventLoopSignalTests {
    private let commands: EventFD
    private let port: EventFD
    private let old: EventFD
    private let new: EventFD

    init() throws {
        commands = try EventFD()
        port = try EventFD()
        old = try EventFD()
        new = try EventFD()
    }

    private func makeLoop() throws -> EventLoop {
        var loop = try EventLoop(
            commands: commands.descriptor, port: port.descriptor, signals: 2, batchSize: 8)
        loop.hasCommands = false
        return loop
    }

    /// Looks so often that whatever the kernel has done already is seen.
    private func look(_ loop: inout EventLoop) { for _ in 0..<10 { loop.collect() } }

    /// Ends the poll that has this user data with an error.
    private func refusePoll(_ loop: inout EventLoop, _ data: UserData) {
        loop.enter { ring throws(IOUringError) in
            _ = ring.cancel(data)
            try ring.submitAndPoll()
        }
        look(&loop)
    }

    @Test("are made by a look, which sees what was signalled before and what is signalled later")
    func look() throws {
        var loop = try makeLoop()
        old.signal()
        loop.bind(old.descriptor, signal: 0)
        look(&loop)
        let before = loop.takeSignals(0)
        old.signal()
        look(&loop)
        let after = loop.takeSignals(0)
        #expect(before == 1 && after == 1)
    }

    @Test("of an eventfd that another one has replaced are over: it wakes nobody and counts for nothing")
    func replaced() throws {
        var loop = try makeLoop()
        loop.bind(old.descriptor, signal: 0)
        look(&loop)
        loop.bind(new.descriptor, signal: 0)
        look(&loop)
        let afterwards = loop.hasSignals
        old.signal()
        let isAwake = loop.sleep(timeout: .milliseconds(20))
        #expect(!afterwards && !isAwake)
        new.signal()
        look(&loop)
        let count = loop.takeSignals(0)
        #expect(count == 1)
    }

    @Test("that end with an error are made again: a command and a signal that come later are seen")
    func refused() throws {
        var loop = try makeLoop()
        loop.bind(new.descriptor, signal: 1)
        look(&loop)
        refusePoll(&loop, UserData(kind: 1))
        refusePoll(&loop, UserData(kind: 3, queue: 1, generation: 1))
        _ = loop.takeSignals(1)
        loop.hasCommands = false
        commands.signal()
        look(&loop)
        let hasCommands = loop.hasCommands
        new.signal()
        look(&loop)
        let count = loop.takeSignals(1)
        #expect(hasCommands && count == 1)
    }

    @Test("are all made, however many requests there are at once")
    func fullQueue() throws {
        var loop = try makeLoop()
        for _ in 0..<5 {
            loop.bind(old.descriptor, signal: 0)
            loop.bind(new.descriptor, signal: 0)
        }
        new.signal()
        look(&loop)
        let (count, hasFailed) = (loop.takeSignals(0), loop.hasFailed)
        #expect(count == 1 && !hasFailed)
    }

    @Test("tell of no port in a loop that has failed")
    func failed() throws {
        var loop = try makeLoop()
        port.signal()
        look(&loop)
        let before = loop.isPortReadable
        loop.fail(EventLoopFailure(.enter(.ioError)))
        let after = loop.isPortReadable
        #expect(before && !after)
    }
}
