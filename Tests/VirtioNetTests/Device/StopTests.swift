import GuestMemory
import LinuxHost
import TestSupport
import Testing
import VirtQueue

@testable import VirtioNet

/// Stop means stop.
@Suite("A stopped queue", .timeLimit(.minutes(15)))
struct StopTests {
    @Test(
        "has nothing in flight: the base given out is the used index in guest memory",
        arguments: [4, 256] as [UInt16])
    func nothingInFlight(queueSize: UInt16) throws {
        let pair = try TestPair(queueSize: queueSize)
        try pair.start()
        pair.driver.startTraffic()
        for cycle in 1...100 as ClosedRange<UInt64> {
            #expect(pair.awaitReceived(cycle * 100))
            let bases = pair.stop()
            #expect(pair.usedIndex(0) == bases.0)
            #expect(pair.usedIndex(1) == bases.1)
            // The device touches nothing any more, whatever the driver does.
            for signals in pair.driver.signals { signals.kick.signal() }
            let again = pair.stop()
            #expect(again == bases)
            #expect(pair.usedIndex(0) == bases.0)
            #expect(pair.usedIndex(1) == bases.1)
            try pair.start(bases: bases)
        }
        pair.driver.stopTraffic()
        let tally = pair.settle()
        #expect(tally.outstanding == 0 && tally.duplicated == 0 && tally.corrupted == 0, "\(tally)")
    }

    @Test("the device's end comes under traffic too: later calls answer and do nothing, the driver lives")
    func shutdownUnderTraffic() throws {
        for _ in 0..<20 {
            let pair = try TestPair()
            try pair.start()
            pair.driver.startTraffic()
            #expect(pair.awaitReceived(200))
            pair.device.shutdown()
            let used = (pair.usedIndex(0), pair.usedIndex(1))
            pair.device.kick(1)
            pair.device.bindKick(
                try SharedEventFD(duplicating: pair.driver.signals[0].kick.descriptor), queue: 0)
            pair.device.bindCall(nil, queue: 0)
            pair.device.setTranslation([], queues: 0..<2)
            pair.device.startQueue(0, layout: try pair.driver.layout(0, size: 256), features: [], base: 0)
            #expect(pair.stop() == (0, 0))
            pair.device.shutdown()
            #expect((pair.usedIndex(0), pair.usedIndex(1)) == used)
            pair.driver.synchronise()
            #expect(pair.driver.counters.frames.received >= 200)
            pair.driver.shutdown()
            pair.driver.startTraffic()
            pair.driver.shutdown()
        }
    }

    @Test("both ends' ports are closed when their end is answered: who opens them next finds them free")
    func portsAreClosed() throws {
        for _ in 0..<100 {
            let (guest, wire) = (try DatagramPort(), try DatagramPort())
            let pair = try TestPair(guest: .tap(guest.makeNear()), wire: .tap(wire.makeNear()))
            try pair.start()
            #expect(guest.send(DatagramPort.frame(60)))
            #expect(wire.awaitPayload() != nil)
            #expect(!guest.isNearClosed && !wire.isNearClosed)
            _ = pair.stop()
            pair.driver.shutdown()
            #expect(eventually { guest.isNearClosed } && !wire.isNearClosed)
            pair.device.shutdown()
            // A child that another test makes has the file until it runs a program.
            #expect(eventually { wire.isNearClosed })
        }
    }

    @Test("a driver that ends under traffic leaves a device that can be stopped")
    func driverEndsFirst() throws {
        for _ in 0..<20 {
            let pair = try TestPair()
            try pair.start()
            pair.driver.startTraffic()
            #expect(pair.awaitReceived(200))
            pair.driver.shutdown()
            let bases = pair.stop()
            #expect(pair.usedIndex(0) == bases.0)
            #expect(pair.usedIndex(1) == bases.1)
        }
    }

    @Test("queues that the driver's memory has no room for are refused, and the driver goes on as it is")
    func tooLargeQueues() throws {
        let pair = try TestPair()
        try pair.start()
        pair.driver.startTraffic()
        #expect(pair.awaitReceived(200))
        let bases = pair.stop()
        var large = pair.configuration
        large.queueSize = 2048
        #expect(throws: VirtioNetError.self) { try pair.driver.reinitialise(large) }
        try pair.start(bases: bases)
        let received = pair.driver.counters.frames.received
        #expect(pair.awaitReceived(received + 1000))
        pair.driver.stopTraffic()
        #expect(pair.settle().outstanding == 0)
    }
}
