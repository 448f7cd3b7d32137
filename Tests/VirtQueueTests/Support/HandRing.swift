import GuestMemory
import VirtQueue
import Virtio

/// A ring written by hand, field by field, for tests of one side alone.
final class HandRing {
    let geometry: RingGeometry
    let memory: ProgramMemory
    let layout: RingLayout
    private var offered: UInt16

    /// Some buffer that is mapped, 256 bytes to the end of its host block.
    static let buffer = ProgramMemory.bufferAddress
    static let next: UInt16 = 1
    static let write: UInt16 = 2
    static let indirect: UInt16 = 4

    init(size: UInt16, base: UInt16 = 0) throws {
        geometry = try RingGeometry(size: size)
        memory = ProgramMemory(ringBytes: geometry.byteCount, fragment: 256)
        layout = geometry.layout(at: IOVirtualAddress(rawValue: ProgramMemory.ringAddress))
        offered = base
        availIndex = base
    }

    func device(
        _ features: VirtioFeatures = [], state: QueueState = .initial(.split), table: inout TranslationTable
    ) throws -> SplitDeviceQueue {
        try SplitDeviceQueue(layout: layout, features: features, state: state, translation: &table)
    }

    func driver(
        _ features: VirtioFeatures = [], state: QueueState = .initial(.split)
    ) throws -> SplitDriverQueue {
        try unsafe SplitDriverQueue(
            size: geometry.size, features: features, memory: memory.ring.start, state: state)
    }

    /// Writes a descriptor into the ring's table, or into the first indirect table.
    func descriptor(
        _ index: Int, _ address: UInt64 = HandRing.buffer, _ byteCount: UInt32 = 16, flags: UInt16 = 0,
        next: UInt16 = 0, inTable: Bool = false
    ) {
        let block = inTable ? memory.tables : memory.ring
        ProgramMemory.poke(address, in: block, at: 16 * index, 8)
        ProgramMemory.poke(UInt64(byteCount), in: block, at: 16 * index + 8, 4)
        ProgramMemory.poke(UInt64(flags), in: block, at: 16 * index + 12, 2)
        ProgramMemory.poke(UInt64(next), in: block, at: 16 * index + 14, 2)
    }

    /// Makes the chain at `head` available.
    func offer(_ head: UInt16) {
        let slot = Int(offered) % Int(geometry.size)
        ProgramMemory.poke(UInt64(head), in: memory.ring, at: geometry.driverAreaOffset + 4 + 2 * slot, 2)
        offered &+= 1
        availIndex = offered
    }

    /// Returns a chain by hand.
    func giveBack(_ id: UInt32, _ byteCount: UInt32) {
        let slot = Int(usedIndex) % Int(geometry.size)
        let offset = geometry.deviceAreaOffset + 4 + 8 * slot
        ProgramMemory.poke(UInt64(id), in: memory.ring, at: offset, 4)
        ProgramMemory.poke(UInt64(byteCount), in: memory.ring, at: offset + 4, 4)
        usedIndex &+= 1
    }

    /// The used element at `slot`: id and length.
    func usedElement(_ slot: Int) -> [UInt64] {
        let offset = geometry.deviceAreaOffset + 4 + 8 * slot
        return [memory.number(at: offset, 4), memory.number(at: offset + 4, 4)]
    }

    var availFlags: UInt16 {
        get { field(geometry.driverAreaOffset) }
        set { setField(geometry.driverAreaOffset, newValue) }
    }
    var availIndex: UInt16 {
        get { field(geometry.driverAreaOffset + 2) }
        set { setField(geometry.driverAreaOffset + 2, newValue) }
    }
    var usedEvent: UInt16 {
        get { field(geometry.driverAreaOffset + 4 + 2 * Int(geometry.size)) }
        set { setField(geometry.driverAreaOffset + 4 + 2 * Int(geometry.size), newValue) }
    }
    var usedFlags: UInt16 {
        get { field(geometry.deviceAreaOffset) }
        set { setField(geometry.deviceAreaOffset, newValue) }
    }
    var usedIndex: UInt16 {
        get { field(geometry.deviceAreaOffset + 2) }
        set { setField(geometry.deviceAreaOffset + 2, newValue) }
    }
    var availEvent: UInt16 {
        get { field(geometry.deviceAreaOffset + 4 + 8 * Int(geometry.size)) }
        set { setField(geometry.deviceAreaOffset + 4 + 8 * Int(geometry.size), newValue) }
    }

    private func field(_ offset: Int) -> UInt16 { UInt16(memory.number(at: offset, 2)) }
    private func setField(_ offset: Int, _ value: UInt16) {
        ProgramMemory.poke(UInt64(value), in: memory.ring, at: offset, 2)
    }
}
