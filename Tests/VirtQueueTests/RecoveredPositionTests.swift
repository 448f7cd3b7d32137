import GuestMemory
import Testing
import VirtQueue
import Virtio

/// What becomes of chains in flight where a device is gone and another one goes on from the used index.
@Suite
struct RecoveredPositionTests {
    struct Loss: CustomTestStringConvertible {
        /// The chains lent, those of them that the device took, and those of them that it returned.
        let lent: Int
        let taken: Int
        let returned: Int
        let base: UInt16

        var testDescription: String { "\(lent) lent, \(taken) taken, \(returned) returned, from \(base)" }

        static let all = [UInt16(0), 65_530, 65_535].flatMap { base in
            (0...8).flatMap { taken in
                (0...taken).map { Loss(lent: 8, taken: taken, returned: $0, base: base) }
            }
        }
    }

    /// Both sides of a ring of eight, whose device can go and come back.
    struct Pair: ~Copyable {
        let ring: HandRing
        var table: TranslationTable
        var segments = SegmentBuffer(capacity: 8)
        var driver: SplitDriverQueue
        var device: SplitDeviceQueue

        init(base: UInt16) throws {
            let ring = try HandRing(size: 8, base: base)
            var table = ring.memory.table()
            let driver = try ring.driver(state: .split(nextAvail: base))
            let device = try ring.device(state: .split(nextAvail: base), table: &table)
            self.ring = ring
            self.table = table
            self.driver = driver
            self.device = device
        }

        /// Lends one buffer a token from 0 to `count`.
        mutating func lend(_ count: Int) {
            let segment = DriverSegment(address: IOVirtualAddress(rawValue: HandRing.buffer), byteCount: 16)
            for token in 0..<UInt32(count) {
                check(driver.add(readable: segment, token: token))
            }
            _ = driver.publish()
        }

        /// The chains that are there to take, `count` at the most.
        mutating func take(_ count: Int = 8) throws -> [ChainHandle] {
            var chains: [ChainHandle] = []
            while chains.count < count, let chain = try device.pop(into: &segments, translation: &table) {
                chains.append(chain.handle)
                segments.removeAll()
            }
            return chains
        }

        mutating func giveBack(_ chains: [ChainHandle]) {
            for chain in chains { device.complete(chain, byteCount: 0) }
            _ = device.publish()
        }

        /// Another device, which knows of the one before only what the used ring says.
        mutating func recover() throws {
            let view = ring.memory.ring
            let used = UInt64(UInt(bitPattern: unsafe view.start)) + UInt64(ring.geometry.deviceAreaOffset)
            guard let index = unsafe UsedIndex(usedRing: HostAddress(rawValue: used)) else {
                throw ProgramFailure("no used index")
            }
            device = try ring.device(state: .recovered(from: index), table: &table)
        }

        mutating func reap() throws(VirtQueueError) -> [UInt32] {
            var tokens: [UInt32] = []
            while let chain = try driver.reap() { tokens.append(chain.token) }
            return tokens
        }
    }

    @Test(
        "In order: what was taken and not returned is taken again, and nothing else; every chain comes back",
        arguments: Loss.all)
    func inOrder(_ loss: Loss) throws {
        var pair = try Pair(base: loss.base)
        pair.lend(loss.lent)
        let taken = try pair.take(loss.taken)
        pair.giveBack(Array(taken.prefix(loss.returned)))
        try pair.recover()
        let again = try pair.take()
        // The chains in flight, in their order, then those that the first device had not come to.
        #expect(Array(again.prefix(loss.taken - loss.returned)) == Array(taken.dropFirst(loss.returned)))
        #expect(again.count == loss.lent - loss.returned)
        #expect(Set(again).isDisjoint(with: taken.prefix(loss.returned)))
        pair.giveBack(again)
        let tokens = try pair.reap()
        #expect(tokens == Array(0..<UInt32(loss.lent)))
        check(pair.driver.inFlight == 0)
    }

    @Test("Out of order: a chain returned early is taken twice, and one before it is lost")
    func outOfOrder() throws {
        var pair = try Pair(base: 65_535)
        pair.lend(2)
        let taken = try pair.take()
        pair.giveBack([taken[1]])
        let early = try pair.reap()
        #expect(early == [1])
        try pair.recover()
        let again = try pair.take()
        #expect(again == [taken[1]], "the index says that one chain is back, but not which")
        pair.giveBack(again)
        // A driver that looks at what it gets back has a broken ring now, and its first buffer never comes.
        #expect(throws: VirtQueueError(.invalidUsedElement)) { _ = try pair.reap() }
        check(pair.driver.inFlight == 1)
    }
}
