import TestSupport
import Testing
import VirtQueue

@testable import VirtioNet

/// Accounts of a driver and a device between two ports.
@Suite("The account of two ports", .timeLimit(.minutes(15)))
struct PortAccountTests {
    private func expectBalance(_ pair: TestPair, sourceLocation: SourceLocation = #_sourceLocation) {
        for account in pair.accounts {
            #expect(account.balances, "\(account)", sourceLocation: sourceLocation)
        }
    }

    /// Whether the guest's port comes to have given so many frames to the device.
    private func hasSent(_ count: UInt64, _ pair: TestPair) -> Bool {
        eventually {
            pair.driver.synchronise()
            return pair.driver.account(1).left == count
        }
    }

    @Test(
        "frames of every length pass whole, both ways, where the buffers have room",
        arguments: [60, 1514, 2035, 2036, 2037, 4096, 9000, 9014])
    func jumbo(byteCount: Int) throws {
        let ports = try PortExchange(bufferStride: DriverBuffers.stride(forMTU: 9000))
        try ports.exchange([DatagramPort.frame(byteCount, number: 7)])
        let pair = ports.pair
        #expect(pair.driver.account(0).left == 1 && pair.device.account(1).left == 1)
    }

    @Test(
        "frames too long for the buffers are dropped whole and counted as that, both ways",
        arguments: [2037, 4096, 9014])
    func tooLong(byteCount: Int) throws {
        let ports = try PortExchange()
        // The short one behind it is the first that comes out.
        try ports.exchange([DatagramPort.frame(byteCount), DatagramPort.frame(100, number: 3)])
        let pair = ports.pair
        #expect(pair.driver.account(1).tooLong == 1 && pair.driver.account(1).entered == 2)
        #expect(pair.device.account(0).tooLong == 1 && pair.device.account(0).entered == 2)
    }

    @Test("a port that has no more frames has refused nothing, at either end")
    func emptyPorts() throws {
        let ports = try PortExchange()
        try ports.exchange([DatagramPort.frame(60, number: 7)])
        let pair = ports.pair
        #expect(pair.driver.account(1).lastRefusal == 0 && pair.device.account(0).lastRefusal == 0)
        #expect(pair.driver.counters.transmit.errors == 0 && pair.device.counts(0).errors == 0)
    }

    @Test("what the guest's port refuses is counted with its errno, frame by frame")
    func refusedByTheGuest() throws {
        let (guest, wire) = (try DatagramPort(), try DatagramPort())
        let pair = try TestPair(guest: .tap(guest.makeNear()), wire: .tap(wire.makeNear()))
        try pair.start()
        guest.close()
        for number in 0..<5 {
            #expect(eventually { wire.send(DatagramPort.frame(60, number: number)) })
        }
        #expect(eventually { pair.driver.account(0).refused == 5 })
        let account = pair.driver.account(0)
        #expect(DatagramPort.refusals.contains(account.lastRefusal) && account.left == 0)
        #expect(pair.driver.counters.receive.drops == 5)
        _ = pair.stop()
        pair.driver.synchronise()
        expectBalance(pair)
    }

    @Test(
        "generated frames inside a device that is reset are abandoned, and those in the ring wait for the next start"
    )
    func insideTheDevice() throws {
        // What this wire takes is sent, and never comes back.
        let pair = try TestPair(wire: .none)
        try pair.start()
        pair.driver.startTraffic(limit: 100)
        #expect(hasSent(100, pair))
        let bases = pair.stop()
        pair.driver.startTraffic(limit: 20)
        #expect(
            eventually {
                pair.driver.synchronise()
                return pair.driver.account(1).pending == 20
            })
        pair.driver.abandonInFlight()
        let frames = pair.driver.counters.frames
        #expect(frames.sent == 120 && frames.abandoned == 100 && frames.outstanding == 20, "\(frames)")
        try pair.start(bases: bases)
        #expect(hasSent(120, pair))
        #expect(pair.driver.counters.frames.outstanding == 20)
        _ = pair.stop()
        pair.driver.synchronise()
        expectBalance(pair)
    }

    @Test(
        "generated frames inside a device whose rings start over are abandoned where it may have dropped them, and otherwise not",
        arguments: [true, false])
    func insideTheDeviceAtAStartOver(abandonsInFlight: Bool) throws {
        let pair = try TestPair(wire: .none)
        try pair.start()
        pair.driver.startTraffic(limit: 100)
        #expect(hasSent(100, pair))
        _ = pair.stop()
        try pair.driver.reinitialise(pair.configuration, abandonsInFlight: abandonsInFlight)
        pair.driver.synchronise()
        let frames = pair.driver.counters.frames
        #expect(frames.sent == 100 && frames.abandoned == (abandonsInFlight ? 100 : 0), "\(frames)")
        #expect(frames.outstanding == (abandonsInFlight ? 0 : 100), "\(frames)")
        expectBalance(pair)
    }

    @Test("frames in rings that start over are abandoned, for a port as for the generator: none is nowhere")
    func startingOver() throws {
        let (guest, wire) = (try DatagramPort(), try DatagramPort())
        let pair = try TestPair(guest: .tap(guest.makeNear()), wire: .tap(wire.makeNear()))
        let rounds = 10
        var (sent, arrived): (UInt64, UInt64) = (0, 0)
        for _ in 0..<rounds {
            try pair.start()
            for _ in 0..<5 {
                sent += 1
                #expect(guest.send(DatagramPort.frame(60, number: Int(sent))))
                #expect(wire.awaitPayload() != nil)
                arrived += 1
            }
            _ = pair.stop()
            // These meet no device: they stand in the ring when it starts over.
            for _ in 0..<3 {
                sent += 1
                #expect(guest.send(DatagramPort.frame(60, number: Int(sent))))
            }
            #expect(eventually { pair.driver.account(1).entered == sent })
            try pair.driver.reinitialise(pair.configuration)
        }
        pair.driver.synchronise()
        expectBalance(pair)
        let account = pair.driver.account(1)
        #expect(account.entered == sent && account.left == arrived)
        #expect(account.abandoned == UInt64(3 * rounds) && account.pending == 0)
    }
}
