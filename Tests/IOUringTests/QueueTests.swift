import Dispatch
import Glibc
import LinuxHost
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import IOUring

@Suite struct QueueTests {
    @Test("A full submission queue refuses and keeps what it has", arguments: [1, 4, 32])
    func full(entries: Int) throws {
        var ring = try makeRing(submissions: entries, completions: 64)
        #expect(ring.availableSubmissions == entries)
        for slot in 0..<entries {
            expectQueued(ring.nop(userData: UserData(kind: 1, slot: slot)))
            #expect(ring.availableSubmissions == entries - slot - 1)
        }
        expectRefused(ring.nop(userData: UserData(kind: 2)))
        #expect(ring.queuedSubmissions == entries)
        let seen = try ring.collect(entries)
        #expect(seen.map(\.userData.slot) == Array(0..<entries))
        #expect(seen.allSatisfy { $0.userData.kind == 1 })
        #expect(ring.availableSubmissions == entries)
    }

    @Test("Completions beyond the queue wait in the kernel: none is lost, in order, and the ring says so")
    func overflow() throws {
        var ring = try makeRing(submissions: 8, completions: 8)
        for round in 0..<5 {
            for slot in 0..<8 { expectQueued(ring.nop(userData: UserData(kind: 1, slot: round * 8 + slot))) }
            try ring.submit()
        }
        #expect(ring.hasOverflowed == true)
        #expect(ring.hasPendingWork == true)
        var slots: [Int] = []
        while slots.count < 40 {
            try ring.submitAndWait(count: 1)
            ring.forEachCompletion { slots.append($0.userData.slot) }
        }
        #expect(slots == Array(0..<40))
        #expect(ring.hasOverflowed == false)
        #expect(ring.lostCompletions == 0)
    }

    @Test("A multishot poll that overflows ends and says so")
    func pollOverflow() throws {
        var ring = try makeRing(submissions: 4, completions: 4)
        let event = try EventFD()
        expectQueued(
            ring.pollAdd(event.descriptor, .input, multishot: true, userData: UserData(kind: 9)))
        for _ in 0..<3 { expectQueued(ring.nop(userData: UserData(kind: 1))) }
        try ring.submit()
        expectQueued(ring.nop(userData: UserData(kind: 1)))
        try ring.submit()
        event.signal()
        try ring.submitAndPoll()
        var last: Completion?
        while last == nil {
            try ring.submitAndWait(count: 1)
            ring.forEachCompletion { if $0.userData.kind == 9 { last = $0 } }
        }
        #expect(last?.hasMore == false)
        #expect(last?.events.contains(.input) == true)
    }

    @Test("At most the limit is taken, and the rest stays", arguments: [0, 1, 5, 9])
    func limit(limit: Int) throws {
        var ring = try makeRing()
        for slot in 0..<8 { expectQueued(ring.nop(userData: UserData(kind: 1, slot: slot))) }
        try ring.submitAndWait(count: 8)
        var slots: [Int] = []
        let taken = ring.forEachCompletion(limit: limit) { slots.append($0.userData.slot) }
        #expect(taken == min(limit, 8))
        #expect(ring.readyCompletions == 8 - taken)
        while let completion = ring.nextCompletion() { slots.append(completion.userData.slot) }
        #expect(slots == Array(0..<8))
    }

    @Test("The completion whose handler throws is consumed, the next is not")
    func throwing() throws {
        var ring = try makeRing()
        for slot in 0..<3 { expectQueued(ring.nop(userData: UserData(kind: 1, slot: slot))) }
        try ring.submitAndWait(count: 3)
        #expect(throws: Errno.ioError) {
            try ring.forEachCompletion { completion throws(Errno) in
                if completion.userData.slot == 1 { throw .ioError }
            }
        }
        #expect(ring.nextCompletion()?.userData.slot == 2)
    }

    @Test("A wait with nothing to come ends with its time")
    func timeout() throws {
        var ring = try makeRing()
        #expect(try ring.submitAndWait(count: 1, timeout: .zero) == .timedOut)
        #expect(try ring.submitAndWait(count: 1, timeout: .milliseconds(1)) == .timedOut)
        expectQueued(ring.nop(userData: UserData(kind: 1)))
        // What is submitted by a wait that times out is submitted.
        #expect(try ring.submitAndWait(count: 2, timeout: .milliseconds(1)) == .timedOut)
        #expect(ring.readyCompletions == 1)
        #expect(try ring.submitAndWait(count: 1, timeout: .seconds(60)) == .ready)
    }

    @Test("Polling the kernel brings completions without waiting")
    func poll() throws {
        var ring = try makeRing()
        let event = try EventFD()
        expectQueued(
            ring.pollAdd(event.descriptor, .input, multishot: true, userData: UserData(kind: 1)))
        try ring.submitAndPoll()
        #expect(ring.readyCompletions == 0)
        event.signal()
        #expect(ring.hasPendingWork == true)
        try ring.submitAndPoll()
        #expect(ring.readyCompletions == 1)
    }

    @Test("A disabled ring belongs to the thread that enables it; any other is refused")
    func owner() throws {
        var ring = try makeRing(options: SetupOptions.preferred.union(.startsDisabled))
        expectQueued(ring.nop(userData: UserData(kind: 1)))
        #expect {
            try ring.submit()
        } throws: {
            ($0 as? IOUringError)?.code == .wrongThread
        }
        try ring.enable()
        #expect(try ring.collect(1).count == 1)
        let box = Mutex<IOUring?>(ring)
        let code = try TestThread.run {
            box.withLock { stored -> IOUringError.Code? in
                guard var foreign = stored.take() else { return nil }
                _ = foreign.nop(userData: UserData(kind: 2))
                do throws(IOUringError) { try foreign.submit() } catch { return error.code }
                return nil
            }
        }
        #expect(code == .wrongThread)
    }

    @Test("A ring made here works on the thread that enables it")
    func moved() throws {
        let box = Mutex<IOUring?>(try makeRing(options: SetupOptions.preferred.union(.startsDisabled)))
        let results = try TestThread.run {
            box.withLock { stored -> [Int32] in
                guard var ring = stored.take() else { return [] }
                guard (try? ring.enable()) != nil, ring.nop(userData: UserData(kind: 1)) else { return [] }
                return (try? ring.collect(1).map(\.result)) ?? []
            }
        }
        #expect(results == [0])
    }

    // The kernel gives a closed ring's addresses to the next. ThreadSanitizer, under which this runs in CI, sees neither
    // call and reports two threads that write to one place, unless a close happens before a creation.
    @Test("What was done with a closed ring happens before what is done with the next, on whichever thread")
    func reused() throws {
        let threads = try (0..<4).map { _ in
            try TestThread {
                for _ in 0..<200 {
                    guard var ring = try? makeRing() else { continue }
                    expectQueued(ring.nop(userData: UserData(kind: 1)))
                    #expect((try? ring.collect(1).count) == 1)
                }
            }
        }
        for thread in threads { thread.wait() }
    }

    @Test("Signals neither end nor lengthen a wait", arguments: [Duration?.none, .seconds(60)])
    func interrupted(timeout: Duration?) throws {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = { _ in }
        unsafe sigaction(SIGUSR2, &action, nil)
        let event = try EventFD()
        let descriptor = event.descriptor
        let waiter = Mutex<pthread_t?>(nil)
        let isThere = DispatchSemaphore(value: 0)
        let outcome = Mutex<WaitOutcome?>(nil)
        let thread = try TestThread {
            waiter.withLock { $0 = pthread_self() }
            isThere.signal()
            guard var ring = try? makeRing(),
                ring.pollAdd(descriptor, .input, multishot: false, userData: UserData(kind: 1))
            else { return }
            let result = try? ring.submitAndWait(count: 1, timeout: timeout)
            if ring.readyCompletions == 1 { outcome.withLock { $0 = result } }
        }
        isThere.wait()
        let target = try #require(waiter.withLock { $0 })
        // Whether a signal lands before or in the wait is the scheduler's choice; most land in it.
        for _ in 0..<1000 {
            pthread_kill(target, SIGUSR2)
            sched_yield()
        }
        EventFD.signal(descriptor)
        thread.wait()
        #expect(outcome.withLock { $0 } == .ready)
    }
}
