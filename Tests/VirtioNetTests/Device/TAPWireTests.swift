import Glibc
import GuestMemory
import Synchronization
import SystemPackage
import TestSupport
import Testing
import VirtQueue
import VirtioDevice
import WorkerRuntime

@testable import VirtioNet

/// A device's wire, and a driver's port, that is a TAP: frames go straight between it and guest memory.
@Suite(
    "A TAP at the end of the wire", .timeLimit(.minutes(15)),
    .enabled(if: NetworkNamespace.missing == nil, "\(NetworkNamespace.missing ?? "")"))
struct TAPWireTests {
    @Test("a bad chain among good ones in a burst goes back once, and no other one is lost", arguments: 0..<4)
    func badChainInABurst(position: Int) throws {
        let wire = try BridgedTAP()
        let near = try wire.makeNear()
        let guest = try HostileGuest(wire: .tap(near))
        guest.start()
        let size = HostileGuest.size
        for head in 0..<size { guest.writeGood(0, head: head) }
        guest.rings[0].setLength(position % 2 == 0 ? 0 : 11, of: position)
        for head in 0..<size { guest.rings[0].offer(head) }
        guest.kick()
        for number in 0..<UInt32(size) - 1 {
            #expect(NumberedFrame.send(number, sender: 1, to: wire.descriptor))
            let done = UInt16(number) + (number >= position ? 2 : 1)
            #expect(eventually { guest.rings[0].usedIndex >= done }, "frame \(number)")
        }
        #expect(eventually { guest.rings[0].usedIndex == size })
        let used = (0..<size).map { guest.rings[0].usedElement($0) }
        #expect(Set(used.map(\.head)) == Set(0..<UInt32(size)))
        for element in used {
            #expect(element.byteCount == (element.head == position ? 0 : UInt32(NumberedFrame.byteCount)))
        }
        #expect(eventually { guest.counts(0).errors == 1 && guest.counts(0).packets == UInt64(size) - 1 })
        #expect(guest.device.stopQueue(0) == size)
        #expect(guest.areGuardsIntact)
    }

    @Test("a chain of more segments than one system call takes is refused, and does not hold up the others")
    func chainTooLongForASystemCall() throws {
        let wire = try BridgedTAP()
        let near = try wire.makeNear()
        let guest = try HostileGuest(wire: .tap(near))
        guest.start()
        for queue in 0..<2 {
            // The table of 16 KiB is written over the other queue's: one after the other.
            let table = unsafe try RawRing(
                size: 2048, memory: guest.block.base + HostileGuest.mebibyte + 0x8_0000,
                address: IOVirtualAddress(rawValue: HostileGuest.base + 0x8_0000))
            let flags: RawRing.Flags = queue == 0 ? .write : []
            for place in 0..<1100 {
                table.setDescriptor(
                    place, HostileGuest.buffer(20), 1, place == 1099 ? flags : [flags, .next],
                    next: UInt16(place + 1))
            }
            guest.rings[queue].setDescriptor(0, HostileGuest.base + 0x8_0000, 1100 * 16, .indirect)
            guest.rings[queue].offer(0)
            guest.kick()
            if queue == 0 { #expect(NumberedFrame.send(0, sender: 1, to: wire.descriptor)) }
            #expect(eventually { guest.rings[queue].usedIndex == 1 }, "queue \(queue)")
            guest.offerGood(queue, head: 1)
            guest.kick()
            #expect(eventually { guest.rings[queue].usedIndex == 2 }, "queue \(queue)")
            #expect(guest.rings[queue].usedElement(0) == (0, 0))
            #expect(guest.rings[queue].usedElement(1).head == 1)
            #expect(eventually { guest.counts(queue).errors == 1 && guest.counts(queue).packets == 1 })
        }
    }

    @Test("frames too long for their chains are dropped, all of them, and the next good one comes in")
    func longFrames() throws {
        let wire = try BridgedTAP()
        let near = try wire.makeNear()
        let guest = try HostileGuest(wire: .tap(near))
        guest.start()
        for head in 0..<HostileGuest.size {
            guest.writeGood(0, head: head)
            guest.rings[0].setLength(40, of: Int(head))
            guest.rings[0].offer(head)
        }
        for number in 0..<50 as Range<UInt32> {
            #expect(NumberedFrame.send(number, sender: 1, to: wire.descriptor))
        }
        guest.kick()
        #expect(eventually { guest.counts(0).drops == 50 })
        #expect(guest.rings[0].usedIndex == 0)
        #expect(guest.device.stopQueue(0) == 0)
        #expect(guest.areGuardsIntact)
    }

    @Test(
        "an interface that goes down or away refuses each frame by errno, costs no processor, and all is accounted for",
        arguments: ["ip link set near down", "ip link del near"], [true, false])
    func interfaceGoes(command: String, isGuests: Bool) throws {
        let guestEnd = try BridgedTAP()
        let guestPort = try guestEnd.makeNear()
        let wireEnd = try BridgedTAP()
        let wirePort = try wireEnd.makeNear()
        let pair = try TestPair(guest: .tap(guestPort), wire: .tap(wirePort))
        try pair.start()
        let (gone, other) = isGuests ? (guestEnd, wireEnd) : (wireEnd, guestEnd)
        for number in 0..<10 as Range<UInt32> {
            #expect(NumberedFrame.send(number, sender: 1, to: gone.descriptor))
            #expect(eventually { NumberedFrame.receive(from: other.descriptor) == number })
        }
        gone.expect(command)
        for number in 0..<20 as Range<UInt32> {
            #expect(NumberedFrame.send(number, sender: 2, to: other.descriptor))
        }
        func account() -> FrameAccount { isGuests ? pair.driver.account(0) : pair.device.account(1) }
        #expect(eventually { account().refused == 20 })
        #expect(account().lastRefusal == (command.contains("del") ? EBADFD : EIO))
        // Nobody looks at the port again and again.
        pair.device.settle()
        #expect(eventually { pair.driver.pairs[0].worker.perform { $0.progress.hasSlept } == true })
        if command.contains("del") {
            let reading = isGuests ? pair.driver.account(1) : pair.device.account(0)
            #expect(reading.lastRefusal == EBADFD && reading.refused == 0)
        }
        _ = pair.stop()
        pair.driver.synchronise()
        for account in pair.accounts { #expect(account.balances, "\(account)") }
    }

    @Test(
        "an interface that goes down and comes up under traffic carries frames again, both ways",
        arguments: [1, 5])
    func linkFlaps(times: Int) throws {
        let guestEnd = try BridgedTAP()
        let guestPort = try guestEnd.makeNear()
        let wireEnd = try BridgedTAP()
        let wirePort = try wireEnd.makeNear()
        let pair = try TestPair(guest: .tap(guestPort), wire: .tap(wirePort))
        try pair.start()
        for round in 1...UInt32(times) {
            for end in [guestEnd, wireEnd] {
                end.expect("ip link set near down")
                for number in 0..<10 as Range<UInt32> {
                    for other in [guestEnd, wireEnd] {
                        _ = NumberedFrame.send(number, sender: 1, to: other.descriptor)
                    }
                }
                end.expect("ip link set near up")
            }
            // A frame that waited while the link was down may come first.
            for (first, second) in [(guestEnd, wireEnd), (wireEnd, guestEnd)] {
                let mark = 1000 * round
                #expect(
                    eventually {
                        _ = NumberedFrame.send(mark, sender: 2, to: first.descriptor)
                        return NumberedFrame.receive(from: second.descriptor) == mark
                    })
            }
        }
        _ = pair.stop()
        pair.driver.synchronise()
        for account in pair.accounts { #expect(account.balances, "\(account)") }
    }

    @Test("two frames a little while apart: the second does not wait for a third", arguments: [true, false])
    func pairsOfFrames(isFromGuest: Bool) throws {
        let guestEnd = try BridgedTAP()
        let guestPort = try guestEnd.makeNear()
        let wireEnd = try BridgedTAP()
        let wirePort = try wireEnd.makeNear()
        let pair = try TestPair(guest: .tap(guestPort), wire: .tap(wirePort))
        try pair.start()
        let (first, second) = isFromGuest ? (guestEnd, wireEnd) : (wireEnd, guestEnd)
        let clock = ContinuousClock()
        for round in 0..<20_000 as Range<UInt32> {
            #expect(NumberedFrame.send(2 * round, sender: 1, to: first.descriptor))
            // So that the second comes at any moment of the worker's look at the port.
            let moment = clock.now + .microseconds(Int(round % 60))
            while clock.now < moment {}
            #expect(NumberedFrame.send(2 * round + 1, sender: 1, to: first.descriptor))
            for number in 2 * round...2 * round + 1 {
                try #require(
                    eventually { NumberedFrame.receive(from: second.descriptor) == number },
                    "frame \(number) does not arrive")
            }
        }
    }

    @Test("stops while frames come from both sides: each arrives once, and a stop finds nothing half done")
    func stopsUnderTraffic() throws {
        let guestEnd = try BridgedTAP()
        let guestPort = try guestEnd.makeNear()
        let wireEnd = try BridgedTAP()
        let wirePort = try wireEnd.makeNear()
        let pair = try TestPair(guest: .tap(guestPort), wire: .tap(wirePort))
        try pair.start()
        let pump = try TrafficPump(guestEnd.descriptor, wireEnd.descriptor, count: 20_000)
        var cycles = 0
        while !pump.hasEnded || cycles < 10 {
            let bases = pair.stop()
            for (queue, base) in [bases.0, bases.1].enumerated() {
                #expect(pair.usedIndex(queue) == base)
            }
            try pair.start(bases: bases)
            cycles += 1
            _ = pump.waitForProgress()
        }
        let outcome = pump.end()
        #expect(outcome.missing == [0, 0])
        #expect(outcome.duplicated == 0)
        #expect(outcome.foreign == 0)
        #expect(pair.events.faults.isEmpty && pair.events.broken.isEmpty)
        #expect(pair.device.counts(0).drops == 0 && pair.device.counts(1).drops == 0)
        #expect(cycles > 20, "\(cycles) cycles are too few for a test of stops")
    }
}

/// A thread that sends numbered frames into two TAPs and takes them out at the other one, no more than 128 under
/// way in each direction.
final class TrafficPump {
    struct Outcome: Sendable {
        /// Frames of each direction that did not arrive.
        var missing: [Int] = [0, 0]
        var duplicated = 0
        var foreign = 0
    }

    private final class State: Sendable {
        let received = Atomic<Int>(0)
        let hasEnded = Atomic<Bool>(false)
        let outcome = Mutex(Outcome())
    }

    private let state: State
    private let thread: TestThread

    init(_ first: FileDescriptor, _ second: FileDescriptor, count: Int) throws {
        let state = State()
        self.state = state
        thread = try TestThread {
            let ends = [first, second]
            var outcome = Outcome()
            var seen = [[Bool]](repeating: [Bool](repeating: false, count: count), count: 2)
            var sent = [0, 0]
            var received = [0, 0]
            var idle = 0
            while received != [count, count], idle < 10_000 {
                var hasMoved = false
                for side in 0..<2 {
                    while sent[side] < count, sent[side] - received[side] < 128,
                        NumberedFrame.send(UInt32(sent[side]), sender: UInt8(side + 1), to: ends[side])
                    { sent[side] += 1 }
                    while let number = NumberedFrame.receive(from: ends[1 - side]) {
                        hasMoved = true
                        if number >= count {
                            outcome.foreign += 1
                        } else if seen[side][Int(number)] {
                            outcome.duplicated += 1
                        } else {
                            seen[side][Int(number)] = true
                            received[side] += 1
                        }
                    }
                }
                state.received.store(received[0] + received[1], ordering: .relaxed)
                idle = hasMoved ? 0 : idle + 1
                if !hasMoved { usleepMilliseconds(1) }
            }
            outcome.missing = received.map { count - $0 }
            state.outcome.withLock { [outcome] in $0 = outcome }
            state.hasEnded.store(true, ordering: .releasing)
        }
    }

    var hasEnded: Bool { state.hasEnded.load(ordering: .acquiring) }

    /// Waits until more frames have arrived, or the pump has ended.
    func waitForProgress() -> Bool {
        let target = state.received.load(ordering: .relaxed) + 200
        return eventually { self.hasEnded || self.state.received.load(ordering: .relaxed) >= target }
    }

    /// Waits for the end.
    func end() -> Outcome {
        thread.wait()
        return state.outcome.withLock { $0 }
    }
}
