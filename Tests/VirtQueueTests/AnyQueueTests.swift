import GuestMemory
import Testing
import VirtQueue
import Virtio

/// Queues of any format, and how code of one format is chosen.
@Suite
struct AnyQueueTests {
    typealias AnyRingMachine = RingMachine<AnyDeviceQueue, AnyDriverQueue>

    @Test(
        "Honest sides kept as queues of any format agree with the oracle on every answer",
        arguments: [UInt8(0), 3, 8], RingProgramTests.features)
    func honest(sizeLog2: UInt8, features: VirtioFeatures) throws {
        let program = ProgramWriter.random(
            seed: 31 &+ UInt64(sizeLog2), sizeLog2: sizeLog2, features: features, count: 250,
            operations: RingOperation.honest)
        try AnyRingMachine.run(program)
    }

    @Test("An error leaves such a queue what it was", arguments: UInt64(1)...6)
    func hostile(seed: UInt64) throws {
        let program = ProgramWriter.random(
            seed: seed &* 104_729, sizeLog2: 3, features: [.eventIndex, .indirectDescriptors], count: 300,
            operations: RingOperation.hostile)
        try AnyRingMachine.run(program)
    }

    @Test(
        "Features that choose the packed format are refused on both sides: no split ring lies on a packed one's memory"
    )
    func packed() throws {
        let ring = try HandRing(size: 4)
        var table = ring.memory.table()
        let error = VirtQueueError(.unsupportedFormat)
        #expect(throws: error) {
            _ = try AnyDeviceQueue(
                layout: ring.layout, features: [.version1, .packedRing], state: .initial(.split),
                translation: &table)
        }
        let block = try RAMBlock.allocate(name: "ring", byteCount: .kibibytes(64), pages: .base)
        #expect(throws: error) {
            _ = unsafe try AnyDriverQueue(
                size: 4, features: [.version1, .packedRing], memory: block.base, state: .initial(.split))
        }
    }

    /// Serves a queue as a worker does: taken out of what it is kept in, as the format's own type, and put back.
    struct Server: DeviceQueueVisitor, ~Copyable {
        var kept: AnyDeviceQueue?
        var translation: TranslationTable
        var segments = SegmentBuffer(capacity: 8)
        var error: (any Error)?

        mutating func visit<Queue: DeviceQueue & ~Copyable>(_ queue: Queue.Type) -> Bool {
            guard let taken = kept.take(), var ring = Queue.unwrap(taken) else { return false }
            do {
                while let chain = try ring.pop(into: &segments, translation: &translation) {
                    ring.complete(chain.handle, byteCount: 0)
                }
            } catch { self.error = error }
            let wantsCall = ring.publish()
            kept = ring.wrapped()
            return wantsCall
        }
    }

    @Test("A format sends a visitor to its own type", arguments: RingFormat.allCases)
    func visit(_ format: RingFormat) throws {
        let ring = try HandRing(size: 4)
        for head in UInt16(0)..<3 {
            ring.descriptor(Int(head))
            ring.offer(head)
        }
        var table = ring.memory.table()
        let queue = try AnyDeviceQueue(
            layout: ring.layout, features: [], state: .initial(format), translation: &table)
        var server = Server(kept: queue, translation: ring.memory.table())
        let wantsCall = format.visit(&server)
        #expect(wantsCall)
        #expect(server.error == nil)
        let state = server.kept?.state
        #expect(state == .split(nextAvail: 3))
        #expect(ring.usedIndex == 3)
    }

    /// Lends buffers to no device until there is no room.
    struct Lender: DriverQueueVisitor, ~Copyable {
        var kept: AnyDriverQueue?
        var count: UInt32 = 0

        mutating func visit<Queue: DriverQueue & ~Copyable>(_ queue: Queue.Type) -> Bool {
            guard let taken = kept.take(), var ring = Queue.unwrap(taken) else { return false }
            let segment = DriverSegment(address: IOVirtualAddress(rawValue: HandRing.buffer), byteCount: 16)
            while ring.add(writable: segment, token: count) { count += 1 }
            let wantsKick = ring.publish()
            kept = ring.wrapped()
            return wantsKick
        }
    }

    @Test("So does the driver's side", arguments: RingFormat.allCases)
    func visitDriver(_ format: RingFormat) throws {
        let ring = try HandRing(size: 4)
        let queue = unsafe try AnyDriverQueue(
            size: 4, features: [], memory: ring.memory.ring.start, state: .initial(format))
        var lender = Lender(kept: queue)
        let wantsKick = format.visit(&lender)
        #expect(wantsKick)
        #expect(lender.count == 4)
        #expect(ring.availIndex == 4)
        var inFlight = 0
        if let kept = lender.kept.take() { inFlight = kept.inFlight }
        #expect(inFlight == 4)
    }
}
