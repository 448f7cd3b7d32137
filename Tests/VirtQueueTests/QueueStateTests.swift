import Testing
import VirtQueue
import Virtio

/// What is saved of a queue, and how vhost carries it.
@Suite
struct QueueStateTests {
    @Test(
        "A split ring's base is its next avail index, and back",
        arguments: [0, 1, 7, 0x7fff, 0x8000, 0xffff] as [UInt16])
    func splitRoundTrip(_ index: UInt16) throws {
        let state = try #require(QueueState(VringBase(rawValue: UInt32(index)), format: .split))
        #expect(state == .split(nextAvail: index))
        #expect(state.base.rawValue == UInt32(index))
    }

    @Test(
        "A split ring has no base above 16 bits", arguments: [0x1_0000, 0x8000_0000, 0xffff_ffff] as [UInt32])
    func splitTooLarge(_ number: UInt32) {
        #expect(QueueState(VringBase(rawValue: number), format: .split) == nil)
    }

    @Test("A ring that has never run starts at base 0", arguments: RingFormat.allCases)
    func initial(_ format: RingFormat) {
        #expect(QueueState.initial(format).base == .zero)
        #expect(QueueState(.zero, format: format) == .initial(format))
    }
}
