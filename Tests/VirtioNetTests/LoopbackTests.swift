import GuestMemory
import TestSupport
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

    @Test(
        "a received frame's header says one buffer and nothing else, however the chain is cut",
        arguments: [2048, 12, 11, 10, 3, 1])
    func receivedHeader(firstSegment: UInt32) throws {
        let guest = try HostileGuest(wire: .loopback)
        guest.start()
        let ring = guest.rings[0]
        let address = HostileGuest.buffer(0)
        if firstSegment == HostileGuest.bufferLength {
            ring.setDescriptor(0, address, firstSegment, .write)
        } else {
            ring.setDescriptor(0, address, firstSegment, [.write, .next], next: 1)
            ring.setDescriptor(1, address + UInt64(firstSegment), 1024, .write)
        }
        ring.offer(0)
        let bytes = guest.mappedBytes
        #expect(bytes[..<NetworkHeader.byteCount].allSatisfy { $0 == 0 })
        guest.offerGood(1, head: 0)
        guest.kick()
        #expect(eventually { ring.usedIndex == 1 })
        var expected = [UInt8](repeating: 0, count: NetworkHeader.byteCount)
        expected[NetworkHeader.bufferCountOffset] = 1
        #expect(Array(guest.mappedBytes[..<NetworkHeader.byteCount]) == expected)
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
