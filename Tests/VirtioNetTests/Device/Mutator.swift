import TestSupport
import VirtQueue

@testable import VirtioNet

/// A field that a guest can change while the device looks at it.
enum Field: String, CaseIterable, Sendable {
    case address, length, flags, next, availFlags, availIndex, availEntry, usedEvent
    case usedFlags, usedIndex, usedElement, availEvent
    case tableAddress, tableLength, tableFlags, tableNext

    var isUsedRing: Bool { self == .usedIndex }

    /// Whether it stands in an indirect table.
    var isInTable: Bool { rawValue.hasPrefix("table") }
}

/// A thread that writes good and bad values into one field, again and again.
final class Mutator {
    private let queue: Int
    private let table: RawRing
    private let field: Field
    private let isEnding = Flag()
    private let thread: TestThread

    init(_ field: Field, _ guest: HostileGuest, _ queue: Int) throws {
        self.queue = queue
        self.field = field
        table = try guest.table(1)
        let (ring, table, isEnding) = (guest.rings[queue], table, isEnding)
        thread = try TestThread {
            var turn: UInt16 = 0
            while !isEnding.isSet {
                turn &+= 1
                Self.write(field, turn, ring, table, queue)
            }
        }
    }

    /// Ends the thread.
    func end() {
        isEnding.set()
        thread.wait()
    }

    deinit { isEnding.set() }

    /// Makes a transmit chain available, through the table where that is what changes.
    func offer(_ guest: HostileGuest, head: UInt16) throws {
        guard field.isInTable else { return guest.offerGood(1, head: head) }
        for place in 0..<4 {
            table.setDescriptor(
                place, HostileGuest.buffer(8 + place), 64, place == 3 ? [] : .next, next: UInt16(place) + 1)
        }
        guest.rings[1].setDescriptor(Int(head), HostileGuest.table(1), 64, .indirect)
        guest.rings[1].offer(head)
    }

    private static func write(_ field: Field, _ turn: UInt16, _ ring: RawRing, _ table: RawRing, _ queue: Int)
    {
        let place = Int(turn / 4 % HostileGuest.size)
        let inTable = Int(turn / 4 % 4)
        // Never an address in a ring: what the device copies there would be a race with this thread's own stores.
        let addresses = [HostileGuest.buffer(queue * 8 + place), HostileGuest.end, 0, HostileGuest.end - 32]
        let lengths: [UInt32] = [64, 0, .max, 11]
        let flags: [UInt16] = [queue == 0 ? 2 : 0, 1, 3, 0xffff]
        let indices: [UInt16] = [0, 1, HostileGuest.size, .max]
        let choice = Int(turn % 4)
        switch field {
        case .address: ring.setAddress(addresses[choice], of: place)
        case .length: ring.setLength(lengths[choice], of: place)
        case .flags: ring.setFlags(flags[choice], of: place)
        case .next:
            ring.setFlags((queue == 0 ? 2 : 0) | 1, of: place)
            ring.setNext(indices[choice], of: place)
        case .availFlags: ring.availFlags = turn
        case .availIndex: ring.availIndex = [8, 1, 9, 0xffff][choice]
        case .availEntry: ring.setAvailEntry(indices[choice], at: UInt16(place))
        case .usedEvent: ring.usedEvent = turn
        case .usedFlags: ring.usedFlags = turn
        case .usedIndex: ring.usedIndex = turn
        case .usedElement: ring.setUsedElement(UInt64(turn) << 32 | 0xffff, at: UInt16(place))
        case .availEvent: ring.availEvent = turn
        case .tableAddress: table.setAddress(addresses[choice], of: inTable)
        case .tableLength: table.setLength(lengths[choice], of: inTable)
        case .tableFlags: table.setFlags([0, 1, 4, 0xffff][choice], of: inTable)
        case .tableNext: table.setNext(indices[choice], of: inTable)
        }
    }
}
