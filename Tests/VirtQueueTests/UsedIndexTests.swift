import GuestMemory
import Testing
import VirtQueue
import Virtio

/// What a used ring says of a device that says nothing any more.
@Suite
struct UsedIndexTests {
    private func address(_ ring: HandRing, _ offset: Int) -> HostAddress {
        HostAddress(rawValue: UInt64(UInt(bitPattern: unsafe ring.memory.ring.start)) + UInt64(offset))
    }

    @Test(
        "It is the number of chains that the device has published, from any start",
        arguments: [0, 7, 65_533] as [UInt16])
    func published(start: UInt16) throws {
        let ring = try HandRing(size: 4, base: start)
        ring.usedIndex = start
        var table = ring.memory.table()
        var segments = SegmentBuffer(capacity: 4)
        var device = try ring.device(state: .split(nextAvail: start), table: &table)
        let made = unsafe UsedIndex(usedRing: address(ring, ring.geometry.deviceAreaOffset))
        guard let index = made else {
            Issue.record("a used ring is aligned to 4")
            return
        }
        for count in UInt16(1)...3 {
            ring.descriptor(0)
            ring.offer(0)
            let chain = try #require(try device.pop(into: &segments, translation: &table))
            device.complete(chain.handle, byteCount: 0)
            let before = index.value
            #expect(before == start &+ count &- 1, "seen before it was published")
            _ = device.publish()
            let after = index.value
            #expect(after == start &+ count)
        }
        let recovered = QueueState.recovered(from: index)
        #expect(recovered == .split(nextAvail: start &+ 3))
    }

    @Test("A used ring is aligned to 4", arguments: [1, 2, 3])
    func alignment(offset: Int) throws {
        let ring = try HandRing(size: 4)
        let made = unsafe UsedIndex(usedRing: address(ring, ring.geometry.deviceAreaOffset + offset))
        let isMade = made != nil
        #expect(!isMade)
    }

    @Test("It is found in memory that a device can write, and nowhere else")
    func memory() throws {
        let machine = try PCMemoryLayout(memory: .mebibytes(4))
        let view = machine.addressSpace.view
        func value(at address: UInt64) throws -> UInt16? {
            let layout = try RingGeometry(size: 8).layout(at: IOVirtualAddress(rawValue: address))
            guard let index = UsedIndex(of: layout, in: view) else { return nil }
            return index.value
        }
        #expect(try value(at: 0x10_0000) == 0)
        // Past the machine's RAM, and the BIOS.
        #expect(try value(at: 0x100_0000) == nil)
        #expect(try value(at: 0xffff_0000) == nil)
    }
}
