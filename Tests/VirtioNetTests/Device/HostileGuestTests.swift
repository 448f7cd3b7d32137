import GuestMemory
import TestSupport
import Testing
import VirtQueue
import VirtioDevice

@testable import VirtioNet

/// Every field that a guest can write, written as badly as it can be.
@Suite("A hostile guest", .timeLimit(.minutes(15)))
struct HostileGuestTests {
    enum Wire: String, CaseIterable, Sendable {
        case loopback, none

        func make() -> WirePort { self == .loopback ? .loopback : .none }
    }

    /// What becomes of an attack.
    enum Outcome: Sendable {
        /// The chain goes back with nothing in it, an error counted, and the queue goes on.
        case refused
        /// The same, with a DMA fault counted and reported.
        case fault
        /// The queue stops and says so.
        case broken
        /// Nothing: the value means nothing to the device.
        case harmless
    }

    @Test(
        "each attack is counted, leaves the queue in a defined state and memory alone",
        arguments: Attack.allCases)
    func attack(_ attack: Attack) throws {
        for queue in attack.queues {
            for wire in Wire.allCases where queue == 1 || wire == .loopback {
                try run(attack, queue, wire)
            }
        }
    }

    private func run(_ attack: Attack, _ queue: Int, _ wire: Wire) throws {
        let guest = try HostileGuest(wire: wire.make())
        guest.start(features: attack.features)
        let other = 1 - queue
        let title: Comment = "\(attack), queue \(queue), wire \(wire)"
        // The bad chain first, a good one behind it, and what the good one needs on the other side.
        for head in 0..<2 as Range<UInt16> { guest.offerGood(other, head: head) }
        try attack.prepare(guest, queue)
        guest.kick()

        let ring = guest.rings[queue]
        switch attack.outcome {
        case .refused, .fault:
            #expect(eventually { ring.usedIndex == 2 }, title)
            #expect(ring.usedElement(0) == (0, 0), title)
            #expect(ring.usedElement(1).head == 7, title)
            #expect(eventually { guest.counts(1).packets == 1 }, title)
            #expect(
                eventually {
                    let counts = guest.counts(queue); return counts.errors + counts.faults == 1
                }, title)
            #expect(guest.counts(queue).faults == (attack.outcome == .fault ? 1 : 0), title)
            #expect(guest.events.faults.count == (attack.outcome == .fault ? 1 : 0), title)
            #expect(guest.events.broken.isEmpty, title)
            #expect(guest.device.stopQueue(queue) == 2, title)
        case .broken:
            #expect(eventually { guest.events.broken.count == 1 }, title)
            #expect(eventually { guest.counts(queue).errors == 1 }, title)
            let base = guest.device.stopQueue(queue)
            #expect(base == ring.usedIndex || attack.overwritesUsedRing, title)
            #expect(guest.events.broken.count == 1, title)
        case .harmless:
            #expect(eventually { guest.counts(1).packets == 2 }, title)
            #expect(guest.counts(queue).errors == 0, title)
            #expect(guest.events.broken.isEmpty, title)
            #expect(guest.device.stopQueue(queue) == 2, title)
        }
        #expect(attack.outcome == .fault || guest.events.faults.isEmpty, title)
        #expect(guest.areGuardsIntact, title)
        #expect(guest.worksAfterReset(), title)
        #expect(guest.areGuardsIntact, title)
    }

    @Test("a frame that fits no receive chain is dropped and counted, and both chains go on")
    func tooLongForReceiver() throws {
        let guest = try HostileGuest(wire: .loopback)
        guest.start()
        guest.rings[0].setDescriptor(0, HostileGuest.buffer(0), HostileGuest.frameLength - 1, .write)
        guest.rings[0].offer(0)
        guest.offerGood(1, head: 0)
        guest.kick()
        #expect(eventually { guest.rings[1].usedIndex == 1 })
        #expect(eventually { guest.counts(0).drops == 1 })
        #expect(guest.rings[0].usedIndex == 0)
        #expect(guest.device.stopQueue(0) == 0)
        #expect(guest.worksAfterReset())
    }

    @Test("memory that is taken away under a live ring: a fault, and not a byte moves", arguments: [0, 1])
    func memoryGone(_ queue: Int) throws {
        let guest = try HostileGuest(wire: .loopback)
        guest.start()
        // The rings stay, the buffers go: everything from 128 KiB on is guard now.
        guest.device.setTranslation(
            guest.entries.prefix(1).compactMap { entry in
                AddressRange(first: entry.range.first, byteCount: .kibibytes(128)).map {
                    TranslationEntry(range: $0, host: entry.host, access: entry.access)
                }
            }, queues: queue..<queue + 1)
        let before = guest.mappedBytes
        guest.offerGood(0, head: 0)
        guest.offerGood(1, head: 0)
        guest.kick()
        #expect(eventually { guest.rings[queue].usedIndex == 1 })
        #expect(guest.rings[queue].usedElement(0) == (0, 0))
        #expect(guest.events.faults.map(\.address.rawValue) == [HostileGuest.buffer(queue * 8)])
        #expect(guest.mappedBytes == before)
        #expect(guest.areGuardsIntact)
        #expect(guest.worksAfterReset())
    }

    @Test(
        "rings that are taken away: a fault for each kick, and the queue goes on where it stood when they return"
    )
    func ringsGone() throws {
        let guest = try HostileGuest(wire: .none)
        guest.start()
        guest.offerGood(1, head: 0)
        guest.device.kick(1)
        #expect(eventually { guest.rings[1].usedIndex == 1 })
        guest.device.setTranslation([], queues: 0..<2)
        guest.offerGood(1, head: 1)
        guest.device.kick(1)
        #expect(
            eventually {
                guest.events.faults.map(\.address) == [guest.rings[1].layout.addresses.descriptorArea]
            })
        #expect(guest.rings[1].usedIndex == 1)
        guest.device.setTranslation(guest.entries, queues: 0..<2)
        #expect(eventually { guest.rings[1].usedIndex == 2 })
        #expect(guest.device.stopQueue(1) == 2)
        #expect(guest.areGuardsIntact)
    }

    @Test("values that change under our eyes: no crash, no stray access", arguments: Field.allCases)
    func changing(_ field: Field) throws {
        for queue in 0..<2 {
            let guest = try HostileGuest(wire: .loopback)
            let mutator = try Mutator(field, guest, queue)
            for round in 0..<60 {
                for other in 0..<2 { guest.rings[other].clear() }
                guest.start()
                for head in 0..<HostileGuest.size {
                    guest.offerGood(0, head: head)
                    try mutator.offer(guest, head: head)
                }
                guest.kick()
                for _ in 0..<4 { for other in 0..<2 { guest.device.kick(other) } }
                for other in 0..<2 {
                    let base = guest.device.stopQueue(other)
                    guard !field.isUsedRing else { continue }
                    #expect(base == guest.rings[other].usedIndex, "\(field), queue \(queue), round \(round)")
                }
            }
            mutator.end()
            #expect(guest.areGuardsIntact, "\(field), queue \(queue)")
            #expect(guest.worksAfterReset(), "\(field), queue \(queue)")
            #expect(guest.areGuardsIntact, "\(field), queue \(queue)")
        }
    }
}

extension HostileGuest {
    /// The buffers' memory as it is.
    var mappedBytes: [UInt8] {
        let start = Self.mebibyte + 0x4_0000
        return unsafe Array(
            UnsafeRawBufferPointer(start: block.base + start, count: Self.mebibyte - 0x4_0000))
    }
}
