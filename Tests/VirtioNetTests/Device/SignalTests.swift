import GuestMemory
import LinuxHost
import TestSupport
import Testing
import VirtQueue
import Virtio
import VirtioDevice

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
        for queue in 0..<2 { guest.device.bindKick(guest.kicks[queue], queue: queue) }
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
        guest.device.bindKick(guest.kicks[1], queue: 1)
        #expect(eventually { guest.rings[1].usedIndex == 1 })
        // Nobody reads it: bound once more it kicks once more.
        guest.offerGood(1, head: 1)
        guest.device.bindKick(guest.kicks[1], queue: 1)
        #expect(eventually { guest.rings[1].usedIndex == 2 })
        #expect(guest.kicks[1].event.drain() == 1)
    }

    @Test("of an eventfd that another one has replaced, or nothing, do not count", arguments: [true, false])
    func staleEventfd(isReplaced: Bool) throws {
        let guest = try makeGuest()
        guest.device.bindKick(guest.kicks[0], queue: 0)
        start(guest, 0)
        start(guest, 1)
        let old = try EventFD()
        guest.device.bindKick(try SharedEventFD(duplicating: old.descriptor), queue: 1)
        guest.device.bindKick(isReplaced ? guest.kicks[1] : nil, queue: 1)
        old.signal()
        passEvents(guest)
        #expect(guest.rings[1].usedIndex == 0)
        #expect(guest.counts(1).kicks == 0)
        if isReplaced { guest.kicks[1].event.signal() } else { guest.device.kick(1) }
        #expect(eventually { guest.rings[1].usedIndex == 1 })
    }

    @Test("of an eventfd that everybody else has let go of still count: the device keeps it")
    func closedByOwner() throws {
        let guest = try makeGuest()
        start(guest, 1)
        let mine = try EventFD()
        try bindShortLived(mine, guest)
        mine.signal()
        #expect(eventually { guest.rings[1].usedIndex == 1 })
    }

    /// Binds a descriptor of `eventfd` that nobody but the device has on return.
    private func bindShortLived(_ eventfd: borrowing EventFD, _ guest: HostileGuest) throws {
        guest.device.bindKick(try SharedEventFD(duplicating: eventfd.descriptor), queue: 1)
    }

    @Test("a call goes to the eventfd bound last, and to none where none is bound")
    func calls() throws {
        let guest = try makeGuest()
        let old = try EventFD()
        let new = try EventFD()
        start(guest, 1)
        guest.device.bindCall(try SharedEventFD(duplicating: old.descriptor), queue: 1)
        guest.device.bindCall(try SharedEventFD(duplicating: new.descriptor), queue: 1)
        guest.device.kick(1)
        #expect(eventually { guest.counts(1).calls == 1 })
        #expect(old.drain() == 0 && new.drain() == 1)
        guest.device.bindCall(nil, queue: 1)
        guest.rings[1].usedEvent = 1
        guest.offerGood(1, head: 1)
        guest.device.kick(1)
        #expect(eventually { guest.rings[1].usedIndex == 2 })
        _ = guest.device.stopQueue(1)
        #expect(guest.counts(1).calls == 1)
        #expect(new.drain() == 0)
    }

    @Test("a call is made for the chain that the driver has asked for, and for none before it")
    func callsAsked() throws {
        let guest = try makeGuest()
        let call = try SharedEventFD()
        start(guest, 1)
        guest.device.bindCall(call, queue: 1)
        guest.device.kick(1)
        #expect(eventually { guest.counts(1).calls == 1 })
        guest.rings[1].usedEvent = 2
        for (head, calls) in [(1, 1), (2, 2)] as [(UInt16, UInt64)] {
            guest.offerGood(1, head: head)
            guest.device.kick(1)
            #expect(eventually { guest.rings[1].usedIndex == head + 1 })
            guest.device.synchronise()
            #expect(guest.counts(1).calls == calls)
        }
        #expect(call.event.drain() == 2)
    }

    @Test("a call comes with a start and is let go of at the stop")
    func callOfStart() throws {
        let guest = try makeGuest()
        var call: SharedEventFD? = try SharedEventFD()
        weak let kept = call
        guest.device.startQueue(
            1, layout: guest.rings[1].layout, features: [.eventIndex], base: 0, call: call)
        call = nil
        guest.device.kick(1)
        #expect(eventually { guest.counts(1).calls == 1 })
        #expect(kept?.event.drain() == 1)
        #expect(guest.device.stopQueue(1) == 1)
        #expect(eventually { kept == nil })
    }

    @Test("are not waited for where memory is mapped anew: a queue that reaches its ring looks at it")
    func mappedAnew() throws {
        let guest = try makeGuest()
        start(guest, 1)
        guest.device.synchronise()
        #expect(guest.rings[1].usedIndex == 0)
        guest.device.setTranslation(guest.entries, queues: 0..<2)
        // Between two commands the worker has served.
        guest.device.synchronise()
        #expect(guest.rings[1].usedIndex == 1)
        #expect(guest.counts(1).kicks == 0)
    }

    @Test("are made up for by a resume: nobody has kept them while the device was suspended")
    func resume() throws {
        let guest = try makeGuest()
        for queue in 0..<2 { start(guest, queue) }
        let states = guest.device.suspend(0..<2)
        #expect(states == [.split(nextAvail: 0), .split(nextAvail: 0)])
        guest.device.resume(
            (0..<2).map { queue in
                QueueSetup(
                    queue: queue, layout: guest.rings[queue].layout, features: [.eventIndex],
                    state: states[queue])
            })
        #expect(eventually { guest.rings[1].usedIndex == 1 })
    }
}
