import GuestMemory
import TestSupport
import VirtQueue
import Virtio

/// A ring in a program's memory, written by hand, for tests of one side alone.
final class HandRing {
    let memory: ProgramMemory
    private let fields: RawRing
    /// The first indirect table, as a ring whose descriptors it is.
    private let table: RawRing
    /// The chains made available; the avail index may be written to something else.
    private var offered: UInt16

    var geometry: RingGeometry { fields.geometry }
    var layout: RingLayout { fields.layout }

    /// Some buffer that is mapped, 256 bytes to the end of its host block.
    static let buffer = ProgramMemory.bufferAddress
    static let next = RawRing.Flags.next.rawValue
    static let write = RawRing.Flags.write.rawValue
    static let indirect = RawRing.Flags.indirect.rawValue

    init(size: UInt16, base: UInt16 = 0) throws {
        memory = ProgramMemory(ringBytes: try RingGeometry(size: size).byteCount, fragment: 256)
        fields = try Self.ring(in: memory.ring, size: size)
        table = try Self.ring(in: memory.tables, size: UInt16(ProgramMemory.tableBytes / 16))
        offered = base
        availIndex = base
    }

    private static func ring(in block: ProgramMemory.Block, size: UInt16) throws -> RawRing {
        try unsafe RawRing(
            size: size, memory: block.start, address: IOVirtualAddress(rawValue: block.address))
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
        (inTable ? table : fields)
            .setDescriptor(index, address, byteCount, RawRing.Flags(rawValue: flags), next: next)
    }

    /// Makes the chain at `head` available.
    func offer(_ head: UInt16) {
        fields.setAvailEntry(head, at: offered)
        offered &+= 1
        availIndex = offered
    }

    /// Returns a chain by hand.
    func giveBack(_ id: UInt32, _ byteCount: UInt32) {
        fields.setUsedElement(UInt64(byteCount) << 32 | UInt64(id), at: usedIndex)
        usedIndex &+= 1
    }

    /// The used element at `slot`: id and length.
    func usedElement(_ slot: Int) -> [UInt64] {
        let element = fields.usedElement(UInt16(slot))
        return [UInt64(element.head), UInt64(element.byteCount)]
    }

    var availFlags: UInt16 {
        get { fields.availFlags }
        set { fields.availFlags = newValue }
    }
    var availIndex: UInt16 {
        get { fields.availIndex }
        set { fields.availIndex = newValue }
    }
    var usedEvent: UInt16 {
        get { fields.usedEvent }
        set { fields.usedEvent = newValue }
    }
    var usedFlags: UInt16 {
        get { fields.usedFlags }
        set { fields.usedFlags = newValue }
    }
    var usedIndex: UInt16 {
        get { fields.usedIndex }
        set { fields.usedIndex = newValue }
    }
    var availEvent: UInt16 {
        get { fields.availEvent }
        set { fields.availEvent = newValue }
    }
}
