import GuestMemory
import Testing
import VirtQueue

@testable import VirtioNet

@Suite("A driver and a device on a loopback wire", .timeLimit(.minutes(15)))
struct LoopbackTests {
    @Test("every frame comes back once and whole", arguments: [1, 2, 64, 256, 1024] as [UInt16])
    func everyFrameComesBack(queueSize: UInt16) throws {
        let pair = try TestPair(queueSize: queueSize)
        try pair.start()
        pair.driver.startTraffic(limit: 5000)
        #expect(pair.awaitReceived(5000))
        let tally = pair.settle()
        #expect(tally.sent == 5000)
        #expect(tally.received == 5000)
        #expect(tally.duplicated == 0 && tally.corrupted == 0 && tally.outstanding == 0)
        #expect(pair.events.faults.isEmpty && pair.events.broken.isEmpty)
    }

    @Test("nothing is lost, duplicated or changed across stops under traffic")
    func stopsUnderTraffic() throws {
        let pair = try TestPair()
        try pair.start()
        pair.driver.startTraffic()
        var bases: (UInt16, UInt16) = (0, 0)
        for cycle in 1...50 {
            #expect(pair.awaitReceived(UInt64(cycle) * 500))
            bases = pair.stop()
            try pair.start(bases: bases)
        }
        pair.driver.stopTraffic()
        let tally = pair.settle()
        #expect(tally.outstanding == 0 && tally.duplicated == 0 && tally.corrupted == 0)
    }
}
