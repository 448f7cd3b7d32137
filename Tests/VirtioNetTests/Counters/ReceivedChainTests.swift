import GuestMemory
import TestSupport
import Testing
import VirtQueue
import VirtioDevice
import WorkerRuntime

@testable import VirtioNet

/// Receive chains that come back to the driver as a device has to return them, and otherwise: the test has the device's
/// worker return them.
@Suite("What the driver is given back", .timeLimit(.minutes(15)))
struct ReceivedChainTests {
    /// What takes the frames.
    enum Guest: CaseIterable {
        case generator, tap, none

        func makePort(_ far: DatagramPort) throws -> GuestPort {
            switch self {
            case .generator: .generator
            case .tap: .tap(try far.makeNear())
            case .none: .none
            }
        }
    }

    private static let headerByteCount = UInt32(NetworkHeader.byteCount)

    @Test(
        "a chain of no byte is an error and no frame, one without a frame an error and a malformed one, others frames",
        arguments: Guest.allCases)
    func lengths(guest: Guest) throws {
        let far = try DatagramPort()
        let pair = try TestPair(guest: guest.makePort(far), wire: .none)
        // The buffers are there once a command is answered.
        pair.driver.synchronise()
        let header = Self.headerByteCount
        let lengths = [0, 1, header - 1, header, header + 1, header + 60, 0, header + 1514]
        #expect(try pair.returnChains(of: 0, lengths: lengths))
        pair.driver.synchronise()
        let (account, counts) = (pair.driver.account(0), pair.driver.counters.receive)
        #expect(account.entered == 6 && account.left == 3 && account.malformed == 3, "\(account)")
        #expect(account.balances, "\(account)")
        #expect(counts.errors == 5 && counts.packets == 3 && counts.bytes == 1 + 60 + 1514, "\(counts)")
        // What holds no frame is nobody's frame that was changed.
        #expect(pair.driver.counters.frames.arrived == (guest == .generator ? 3 : 0))
        #expect(pair.driver.pairs[0].worker.perform { $0.receive.inFlight } == 256)
    }

    @Test("a frame that is lost between the ring and whoever takes it is missing", arguments: Guest.allCases)
    func lostInTheDriver(guest: Guest) throws {
        let far = try DatagramPort()
        let pair = try TestPair(guest: guest.makePort(far), wire: .none)
        let length = Self.headerByteCount + 64
        let lost = pair.driver.pairs[0].worker.perform { worker in
            // Between two batches of the driver, so that it sees none of these before the first is gone.
            let isReturned = (try? pair.returnChains(of: 0, lengths: [length, length, length])) == true
            var ring = worker.receive.takeRing(as: SplitDriverQueue.self)
            let taken = isReturned ? worker.receive.reap(&ring) : nil
            worker.receive.putBack(ring)
            return taken != nil
        }
        #expect(lost == true)
        pair.driver.synchronise()
        let account = pair.driver.account(0)
        #expect(account.missing == 1 && account.entered == 3 && account.left == 2, "\(account)")
        #expect(!account.balances)
    }

    @Test("a frame that the generator was given and that was in no chain shows as one too many")
    func outOfNothing() throws {
        let pair = try TestPair()
        pair.driver.pairs[0].worker.perform { worker in
            var frame = [UInt8](repeating: 0, count: 100)
            unsafe frame.withUnsafeMutableBytes { unsafe worker.generator.check($0, byteCount: 100) }
        }
        pair.driver.synchronise()
        #expect(pair.driver.account(0).missing == -1)
    }

    @Test("a frame that the generator made and that is in no chain is missing")
    func madeForNothing() throws {
        let pair = try TestPair()
        pair.driver.pairs[0].worker.perform { worker in
            worker.generator.start(limit: 1)
            var frame = [UInt8](repeating: 0, count: 2048)
            _ = unsafe frame.withUnsafeMutableBytes { unsafe worker.generator.next(into: $0) }
        }
        pair.driver.startTraffic(limit: 5)
        #expect(eventually { pair.driver.account(1).pending == 5 })
        #expect(pair.driver.account(1).missing == 1, "\(pair.driver.account(1))")
    }

    @Test(
        "a sent chain that comes back with bytes in it breaks the ring, and its frames stand in it"
    )
    func writtenToSent() throws {
        let pair = try TestPair()
        pair.driver.startTraffic(limit: 5)
        #expect(eventually { pair.driver.account(1).pending == 5 })
        #expect(try pair.returnChains(of: 1, lengths: [0, 0, 1, 0]))
        pair.driver.synchronise()
        let account = pair.driver.account(1)
        #expect(account.left == 2 && account.pending == 3 && account.balances, "\(account)")
        #expect(pair.driver.counters.transmit.errors == 1)
    }

    @Test("what a port gives that is shorter than a header is malformed, both ways", arguments: [1, 11, 12])
    func shortFromPort(byteCount: Int) throws {
        let ports = try PortExchange()
        let small = DatagramPort.frame(60, number: 3)
        try ports.exchange([Array(small.prefix(byteCount)), small])
        let pair = ports.pair
        for (account, counts) in [
            (pair.driver.account(1), pair.driver.counters.transmit),
            (pair.device.account(0), pair.device.counts(0)),
        ] {
            #expect(account.entered == 2 && account.malformed == 1, "\(account)")
            #expect(counts.errors == 1 && counts.packets == 1 && counts.bytes == 60, "\(counts)")
        }
    }
}

extension TestPair {
    /// Has the device's worker return chains of a queue that is not started, each with the number of bytes that it is to
    /// have written, and call nobody. `false` where there are not so many.
    fileprivate func returnChains(of index: Int, lengths: [UInt32]) throws -> Bool {
        let layout = try driver.layout(index, size: configuration.queueSize)
        return device.pairs[0].worker.perform { worker in
            worker.withQueue(index) { state in
                state.served.replaceTable(entries)
                state.served.start(
                    QueueSetup(
                        queue: index, layout: layout, features: configuration.features,
                        state: .initial(.split)))
                defer { _ = state.served.stop() }
                state.served.lookAgain()
                guard var ring = state.served.takeRing(as: SplitDeviceQueue.self) else { return false }
                var segments = SegmentBuffer(capacity: 256)
                var pass = PassBudget(chains: lengths.count)
                for length in lengths {
                    guard let chain = state.served.nextChain(of: &ring, into: &segments, within: &pass) else {
                        return false
                    }
                    ring.complete(chain.handle, byteCount: length)
                }
                _ = ring.publish()
                return true
            }
        } ?? false
    }
}
