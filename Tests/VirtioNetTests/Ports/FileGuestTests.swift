import TestSupport
import Testing
import VirtQueue
import WorkerRuntime

@testable import VirtioNet

@Suite("A guest's port that is a file", .timeLimit(.minutes(15)))
struct FileGuestTests {
    @Test("is read in bursts that grow with what was found, and shrink with it")
    func bursts() throws {
        let far = try DatagramPort()
        let pair = try TestPair(guest: .tap(far.makeNear()), wire: .none)
        // The worker has seen an empty port once a command is answered.
        pair.driver.synchronise()
        let bursts = try #require(
            pair.driver.pairs[0].worker.perform { worker in
                /// Sends so many frames, as far as a socket holds them, and has the worker read once.
                func burst(of wanted: Int) -> (sent: Int, tried: Int) {
                    var sent = 0
                    while sent < wanted, far.send(DatagramPort.frame(60, number: sent)) { sent += 1 }
                    worker.loop.isPortReadable = true
                    _ = worker.visit(SplitDriverQueue.self)
                    return (sent, worker.loop.batchCount)
                }
                return [64, 64, 0, 0, 0, 0, 0].map(burst(of:))
            })
        var (expected, waiting) = (FileGuest.smallestBurst, 0)
        for burst in bursts {
            #expect(burst.tried == expected, "\(bursts)")
            waiting += burst.sent
            let found = min(waiting, expected)
            waiting -= found
            expected = min(FileGuest.batchSize, max(FileGuest.smallestBurst, 2 * found))
        }
        #expect(bursts[1].tried > FileGuest.smallestBurst, "\(bursts)")
        #expect(waiting == 0 && expected == FileGuest.smallestBurst, "\(bursts)")
    }
}
