import Glibc
import LinuxHost
import SystemPackage
import Testing

@testable import IOUring

@Suite struct PollTests {
    static let kick = UserData(kind: 1, queue: 3, generation: 7)

    @Test("A multishot poll on an eventfd sees every signal without being armed again")
    func multishot() throws {
        var ring = try makeRing()
        let event = try EventFD()
        let armed = ring.pollAdd(event.descriptor, .input, multishot: true, userData: PollTests.kick)
        expectQueued(armed)
        try ring.submit()
        for _ in 0..<100 {
            event.signal()
            let seen = try ring.collect(1)
            #expect(seen.map(\.userData) == [PollTests.kick])
            #expect(seen.allSatisfy { $0.hasMore && $0.events.contains(.input) && $0.error == nil })
            #expect(event.drain() == 1)
        }
    }

    @Test("A multishot poll sees a signal even where nobody drains the last one")
    func undrained() throws {
        var ring = try makeRing()
        let event = try EventFD()
        expectQueued(
            ring.pollAdd(event.descriptor, .input, multishot: true, userData: PollTests.kick))
        try ring.submit()
        for _ in 0..<10 {
            event.signal()
            #expect(try ring.collect(1).count == 1)
        }
        #expect(event.drain() == 10)
    }

    @Test("A poll on an eventfd that is signalled already completes at once", arguments: [true, false])
    func alreadySignalled(multishot: Bool) throws {
        var ring = try makeRing()
        let event = try EventFD(initial: 1)
        let armed = ring.pollAdd(
            event.descriptor, .input, multishot: multishot, userData: PollTests.kick)
        expectQueued(armed)
        let seen = try ring.collect(1)
        #expect(seen.map(\.hasMore) == [multishot])
    }

    @Test("A single poll ends with its first event")
    func single() throws {
        var ring = try makeRing()
        let event = try EventFD()
        expectQueued(
            ring.pollAdd(event.descriptor, .input, multishot: false, userData: PollTests.kick))
        try ring.submit()
        event.signal()
        #expect(try ring.collect(1).map(\.hasMore) == [false])
        event.signal()
        #expect(try ring.submitAndWait(count: 1, timeout: .zero) == .timedOut)
    }

    @Test("A cancelled poll completes once, with ECANCELED, and then nothing is in flight")
    func cancel() throws {
        var ring = try makeRing()
        let event = try EventFD()
        let cancellation = UserData(kind: 2)
        expectQueued(ring.pollAdd(event.descriptor, .input, multishot: true, userData: PollTests.kick))
        try ring.submit()
        expectQueued(ring.cancel(PollTests.kick, userData: cancellation))
        let seen = try ring.collect(2)
        let poll = try #require(seen.first { $0.userData == PollTests.kick })
        #expect(poll.error == .canceled)
        #expect(!poll.hasMore)
        #expect(seen.first { $0.userData == cancellation }?.result == 0)
        // A signal after the cancellation reaches nobody.
        event.signal()
        #expect(try ring.submitAndWait(count: 1, timeout: .zero) == .timedOut)
    }

    @Test("Cancelling what is not there says so")
    func cancelNothing() throws {
        var ring = try makeRing()
        expectQueued(ring.cancel(PollTests.kick, userData: UserData(kind: 2)))
        #expect(try ring.collect(1).map(\.error) == [.noSuchFileOrDirectory])
    }

    @Test("A completion of an earlier generation is told from the present one")
    func stale() throws {
        var ring = try makeRing()
        let event = try EventFD()
        let file = event.descriptor
        func poll(_ generation: UInt16) -> UserData { UserData(kind: 1, queue: 0, generation: generation) }
        expectQueued(ring.pollAdd(file, .input, multishot: true, userData: poll(1)))
        try ring.submit()
        event.signal()
        // The queue restarts with that event still unread in the ring.
        expectQueued(ring.cancel(poll(1)))
        expectQueued(ring.pollAdd(file, .input, multishot: true, userData: poll(2)))
        try ring.submitAndWait(count: 3)
        var stale = 0
        var present = 0
        ring.forEachCompletion { completion in
            guard completion.userData.kind == 1 else { return }
            if completion.userData.generation == 2 { present += 1 } else { stale += 1 }
        }
        #expect(stale > 0)
        #expect(present == 1)
    }
}
