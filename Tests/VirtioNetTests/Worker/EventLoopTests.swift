import IOUring
import Testing

@testable import VirtioNet

/// What a worker waits for, and what it must not sleep on.
@Suite("An event loop", .timeLimit(.minutes(15)))
final class EventLoopTests {
    private let mailbox: EventFD
    private let port: EventFD
    private let signal: EventFD

    init() throws {
        mailbox = try EventFD()
        port = try EventFD()
        signal = try EventFD()
    }

    private func makeLoop() throws -> EventLoop<Int> {
        var loop = try EventLoop<Int>(mailbox: mailbox.descriptor, port: port.descriptor, batchSize: 8)
        loop.isMailWaiting = false
        return loop
    }

    /// Makes port I/O that finds nothing, which collects the loop's other events as well, until `isNoted`.
    private func makeBatches(
        _ loop: inout EventLoop<Int>, until isNoted: (borrowing EventLoop<Int>) -> Bool
    ) -> Bool {
        unsafe withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { bytes in
            for _ in 0..<10_000 where !isNoted(loop) {
                loop.batch.removeAll()
                unsafe loop.read(0, into: bytes)
                loop.waitForBatch()
            }
            return isNoted(loop)
        }
    }

    @Test("does not sleep on a letter that came with the results of a batch")
    func letterWithABatch() throws {
        var loop = try makeLoop()
        mailbox.signal()
        let isNoted = makeBatches(&loop) { $0.isMailWaiting }
        let isAwake = loop.sleep(timeout: .milliseconds(20))
        #expect(isNoted && isAwake)
    }

    @Test("does not sleep on a kick or a call that came with the results of a batch", arguments: 0..<3)
    func signalWithABatch(queue: Int) throws {
        var loop = try makeLoop()
        loop.bind(signal.descriptor, queue: queue)
        signal.signal()
        let isNoted = makeBatches(&loop) { $0.hasSignals }
        let isAwake = loop.sleep(timeout: .milliseconds(20))
        #expect(isNoted && isAwake)
        // Taken, it is no news any more.
        let count = loop.takeSignals(queue: queue)
        let isAwakeAgain = loop.sleep(timeout: .milliseconds(20))
        #expect(count == 1 && !isAwakeAgain)
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
