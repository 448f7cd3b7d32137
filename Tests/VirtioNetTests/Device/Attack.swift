import GuestMemory
import TestSupport
import VirtQueue
import Virtio

@testable import VirtioNet

/// One bad value, or the like, in one place.
enum Attack: String, CaseIterable, Sendable {
    // Descriptors.
    case addressZero, addressBeforeMap, addressBehindMap, addressAcrossEnd, addressHighest, addressReadOnly
    case lengthZero, lengthHuge
    case unknownFlags, readableAfterWritable, wrongDirection
    case looped, loopedToItself, nextOutOfRange, nextHighest
    case shorterThanHeader
    // The avail ring.
    case headOutOfRange, headHighest, indexJump, indexBackwards
    case availFlags, usedEvent
    // The used ring, which is the device's to write.
    case usedRing, availEvent
    // Indirect tables.
    case indirectNotNegotiated, indirectEmpty, indirectOddLength, indirectWithNext, indirectNested
    case indirectUnmapped, indirectAcrossEnd, indirectAddressUnmapped, indirectLengthZero, indirectLooped
    case indirectNextOutOfRange

    var features: VirtioFeatures {
        self == .indirectNotNegotiated ? [.eventIndex] : [.eventIndex, .indirectDescriptors]
    }

    /// The queues it can be tried on.
    var queues: [Int] { self == .addressReadOnly ? [0] : [0, 1] }

    var overwritesUsedRing: Bool { self == .usedRing }

    var outcome: HostileGuestTests.Outcome {
        switch self {
        case .addressZero, .addressBeforeMap, .addressBehindMap, .addressAcrossEnd, .addressHighest,
            .addressReadOnly, .lengthHuge, .indirectUnmapped, .indirectAcrossEnd, .indirectAddressUnmapped:
            .fault
        case .headOutOfRange, .headHighest, .indexJump, .indexBackwards: .broken
        case .unknownFlags, .availFlags, .usedEvent, .usedRing, .availEvent: .harmless
        default: .refused
        }
    }

    /// Makes chain 0 of the queue the bad one and chain 7 a good one, both available, in this order.
    func prepare(_ guest: HostileGuest, _ queue: Int) throws {
        let ring = guest.rings[queue]
        let size = HostileGuest.size
        guest.writeGood(queue, head: 0)
        guest.writeGood(queue, head: 7)
        try spoilChain(guest, queue)
        switch self {
        case .headOutOfRange: ring.setAvailEntry(size, at: 0)
        case .headHighest: ring.setAvailEntry(.max, at: 0)
        default: ring.setAvailEntry(0, at: 0)
        }
        ring.setAvailEntry(7, at: 1)
        switch self {
        case .availFlags: ring.availFlags = .max
        case .usedEvent: ring.usedEvent = 0x8000
        case .availEvent: ring.availEvent = 0x8000
        case .usedRing:
            ring.usedFlags = .max
            ring.usedIndex = 0x7fff
            for index in 0..<size { ring.setUsedElement(.max, at: index) }
        default: break
        }
        switch self {
        case .indexJump: ring.availIndex = size + 1
        case .indexBackwards: ring.availIndex = .max
        default: ring.availIndex = 2
        }
    }

    private func spoilChain(_ guest: HostileGuest, _ queue: Int) throws {
        let ring = guest.rings[queue]
        let write: RawRing.Flags = queue == 0 ? .write : []
        let address = HostileGuest.buffer(queue * 8)
        switch self {
        case .addressZero: ring.setAddress(0, of: 0)
        case .addressBeforeMap: ring.setAddress(HostileGuest.base - 4096, of: 0)
        case .addressBehindMap: ring.setAddress(HostileGuest.end, of: 0)
        case .addressAcrossEnd: ring.setAddress(HostileGuest.end - 16, of: 0)
        case .addressHighest: ring.setAddress(.max, of: 0)
        case .addressReadOnly: ring.setAddress(HostileGuest.readOnly, of: 0)
        case .lengthZero: ring.setLength(0, of: 0)
        case .lengthHuge: ring.setLength(.max, of: 0)
        case .unknownFlags: ring.setFlags(0xfff8 | write.rawValue, of: 0)
        case .readableAfterWritable:
            ring.setDescriptor(0, address, 64, [.write, .next], next: 1)
            ring.setDescriptor(1, address + 64, 64)
        case .wrongDirection: ring.setFlags(queue == 0 ? 0 : RawRing.Flags.write.rawValue, of: 0)
        case .looped:
            ring.setDescriptor(0, address, 64, [write, .next], next: 1)
            ring.setDescriptor(1, address + 64, 64, [write, .next], next: 0)
        case .loopedToItself: ring.setDescriptor(0, address, 64, [write, .next], next: 0)
        case .nextOutOfRange: ring.setDescriptor(0, address, 64, [write, .next], next: HostileGuest.size)
        case .nextHighest: ring.setDescriptor(0, address, 64, [write, .next], next: .max)
        case .shorterThanHeader:
            // A frame of nothing behind a whole header is none either.
            ring.setLength(UInt32(NetworkHeader.byteCount) - (queue == 0 ? 1 : 0), of: 0)
        default: try spoilTable(guest, queue)
        }
    }

    private func spoilTable(_ guest: HostileGuest, _ queue: Int) throws {
        guard rawValue.hasPrefix("indirect") else { return }
        let ring = guest.rings[queue]
        let table = try guest.table(queue)
        let at = HostileGuest.table(queue)
        let write: RawRing.Flags = queue == 0 ? .write : []
        let address = HostileGuest.buffer(queue * 8)
        let length = queue == 0 ? HostileGuest.bufferLength : HostileGuest.frameLength
        table.setDescriptor(0, address, length, write)
        ring.setDescriptor(0, at, 16, .indirect)
        switch self {
        case .indirectEmpty: ring.setLength(0, of: 0)
        case .indirectOddLength: ring.setLength(24, of: 0)
        case .indirectWithNext: ring.setDescriptor(0, at, 16, [.indirect, .next], next: 1)
        case .indirectNested: table.setDescriptor(0, at, 16, .indirect)
        case .indirectUnmapped: ring.setAddress(HostileGuest.end, of: 0)
        case .indirectAcrossEnd:
            ring.setAddress(HostileGuest.end - 8, of: 0)
        case .indirectAddressUnmapped: table.setAddress(HostileGuest.end, of: 0)
        case .indirectLengthZero: table.setLength(0, of: 0)
        case .indirectLooped:
            ring.setLength(32, of: 0)
            table.setDescriptor(0, address, 32, [write, .next], next: 1)
            table.setDescriptor(1, address + 32, 32, [write, .next], next: 0)
        case .indirectNextOutOfRange: table.setDescriptor(0, address, 32, [write, .next], next: 1)
        default: break
        }
    }
}
