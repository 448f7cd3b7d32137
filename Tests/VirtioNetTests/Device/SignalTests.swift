import GuestMemory
import LinuxHost
import TestSupport
import Testing
import VirtQueue
import Virtio

@testable import VirtioNet

/// When a kick counts, and when it does not (drivers/vhost/vdpa.c, drivers/vhost/vhost.c).
@Suite("Kicks", .timeLimit(.minutes(15)))
struct SignalTests {
    /// A guest whose transmit queue is `start`ed by the test, with a frame in it.
    private func makeGuest() throws -> HostileGuest {
        let guest = try HostileGuest(wire: .none)
        guest.device.setTranslation(guest.entries, queues: 0..<2)
        for queue in 0..<2 { guest.offerGood(queue, head: 0) }
        return guest
    }

    private func start(_ guest: HostileGuest, _ queue: Int) {
        guest.device.startQueue(
            queue, layout: guest.rings[queue].layout, features: [.eventIndex], base: 0)
    }

    /// Has the worker look at its events: those of before are seen once it has seen a kick of the receive queue,
    /// which must run.
    private func passEvents(_ guest: HostileGuest) {
        let before = guest.counts(0).kicks
        guest.kicks[0].event.signal()
        #expect(eventually { guest.counts(0).kicks > before })
    }

    @Test("while a queue is off are lost, so that whoever starts it must kick it")
    func lostWhileOff() throws {
        let guest = try makeGuest()
        for queue in 0..<2 { try guest.device.setKick(guest.kicks[queue].event.descriptor, queue: queue) }
        start(guest, 0)
        guest.kicks[1].event.signal()
        passEvents(guest)
        start(guest, 1)
        passEvents(guest)
        #expect(guest.rings[1].usedIndex == 0)
        #expect(guest.counts(1).kicks == 0)
        guest.kicks[1].event.signal()
        #expect(eventually { guest.rings[1].usedIndex == 1 })
    }

    @Test("of an eventfd that is signalled when it is bound count at once")
    func boundWhileSignalled() throws {
        let guest = try makeGuest()
        guest.kicks[1].event.signal()
        start(guest, 1)
        try guest.device.setKick(guest.kicks[1].event.descriptor, queue: 1)
        #expect(eventually { guest.rings[1].usedIndex == 1 })
        // Nobody reads it: bound once more it kicks once more.
        guest.offerGood(1, head: 1)
        try guest.device.setKick(guest.kicks[1].event.descriptor, queue: 1)
        #expect(eventually { guest.rings[1].usedIndex == 2 })
        #expect(guest.kicks[1].event.drain() == 1)
    }

    @Test("of an eventfd that another one has replaced, or nothing, do not count", arguments: [true, false])
    func staleEventfd(isReplaced: Bool) throws {
        let guest = try makeGuest()
        try guest.device.setKick(guest.kicks[0].event.descriptor, queue: 0)
        start(guest, 0)
        start(guest, 1)
        let old = try EventFD()
        try guest.device.setKick(old.descriptor, queue: 1)
        try guest.device.setKick(isReplaced ? guest.kicks[1].event.descriptor : nil, queue: 1)
        old.signal()
        passEvents(guest)
        #expect(guest.rings[1].usedIndex == 0)
        #expect(guest.counts(1).kicks == 0)
        if isReplaced { guest.kicks[1].event.signal() } else { guest.device.kick(1) }
        #expect(eventually { guest.rings[1].usedIndex == 1 })
    }

    @Test("of an eventfd whose descriptor its owner closed still count: the device has its own")
    func closedByOwner() throws {
        let guest = try makeGuest()
        start(guest, 1)
        let mine = try EventFD()
        try bindShortLived(mine, guest)
        mine.signal()
        #expect(eventually { guest.rings[1].usedIndex == 1 })
    }

    /// Binds a descriptor of `eventfd` that is closed on return.
    private func bindShortLived(_ eventfd: borrowing EventFD, _ guest: HostileGuest) throws {
        let copy = try EventFD(duplicating: eventfd.descriptor)
        try guest.device.setKick(copy.descriptor, queue: 1)
    }

    @Test("a call goes to the eventfd bound last, and to none where none is bound")
    func calls() throws {
        let guest = try makeGuest()
        let old = try EventFD()
        let new = try EventFD()
        try guest.device.setCall(old.descriptor, queue: 1)
        try guest.device.setCall(new.descriptor, queue: 1)
        start(guest, 1)
        guest.device.kick(1)
        #expect(eventually { guest.counts(1).calls == 1 })
        #expect(old.drain() == 0 && new.drain() == 1)
        try guest.device.setCall(nil, queue: 1)
        guest.rings[1].usedEvent = 1
        guest.offerGood(1, head: 1)
        guest.device.kick(1)
        #expect(eventually { guest.rings[1].usedIndex == 2 })
        _ = guest.device.stopQueue(1)
        #expect(guest.counts(1).calls == 1)
        #expect(new.drain() == 0)
    }
}
