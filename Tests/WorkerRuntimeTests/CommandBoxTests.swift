import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing

@testable import WorkerRuntime

/// Commands between a control thread and a worker.
@Suite("A command box", .timeLimit(.minutes(15)))
struct CommandBoxTests {
    private struct Counter: ~Copyable {
        var value = 0
    }

    /// Delivers to a counter on a thread of its own until a command makes the value negative.
    private func serve(_ box: CommandBox<Counter>) throws -> TestThread {
        try TestThread {
            var counter = Counter()
            while counter.value >= 0 { box.deliver(to: &counter) }
            box.close()
        }
    }

    @Test("a command is answered after it has run, in the order of sending")
    func order() throws {
        let box = try CommandBox<Counter>()
        let ended = try serve(box)
        for number in 0..<1000 {
            let value = box.perform { counter -> Int in
                counter.value += 1
                return counter.value
            }
            #expect(value == number + 1)
        }
        #expect(box.perform { $0.value = -1 } != nil)
        ended.wait()
    }

    @Test("commands of several threads all run, each once")
    func severalSenders() throws {
        let box = try CommandBox<Counter>()
        let ended = try serve(box)
        let senders = try (0..<8).map { _ in
            try TestThread { for _ in 0..<500 { box.perform { $0.value += 1 } } }
        }
        for sender in senders { sender.wait() }
        #expect(box.perform { $0.value } == 4000)
        box.perform { $0.value = -1 }
        ended.wait()
    }

    // Whoever asks until the worker is at rest would keep it from ever getting there.
    @Test("commands that follow at once do not keep the worker from its passes")
    func oneAtATime() throws {
        let box = try CommandBox<Counter>()
        let senders = try (0..<2).map { _ in
            try TestThread {
                while box.perform({ $0.value += 1 }) != nil {}
            }
        }
        var counter = Counter()
        var most = 0
        while counter.value < 5000 {
            let before = counter.value
            box.deliver(to: &counter)
            most = max(most, counter.value - before)
        }
        box.close()
        for sender in senders { sender.wait() }
        #expect(most <= 1)
    }

    @Test("a command after the end is answered with nil, and does not run")
    func afterTheEnd() throws {
        let box = try CommandBox<Counter>()
        let ended = try serve(box)
        box.perform { $0.value = -1 }
        ended.wait()
        var hasRun = false
        #expect(box.perform { _ in hasRun = true } == nil)
        #expect(!hasRun)
    }

    @Test("a command that waits when the worker ends is answered with nil")
    func waitingAtTheEnd() throws {
        let box = try CommandBox<Counter>()
        let hasNoAnswer = Flag()
        let sender = try TestThread {
            if box.perform({ $0.value }) == nil { hasNoAnswer.set() }
        }
        // The command is in the box when its wake-up has come.
        #expect(becomesReadable(box.wake.descriptor))
        box.close()
        sender.wait()
        #expect(hasNoAnswer.isSet)
    }

    @Test("a command that is there when the worker ends does not run")
    func unreadAtTheEnd() throws {
        let box = try CommandBox<Counter>()
        let hasRun = Flag()
        let sender = try TestThread { box.perform { _ in hasRun.set() } }
        #expect(becomesReadable(box.wake.descriptor))
        box.close()
        sender.wait()
        #expect(!hasRun.isSet)
    }

    @Test("a worker that cannot be woken: the command is answered with nil, and the worker is told to end")
    func deafWorker() throws {
        let box = try CommandBox<Counter>()
        let isDeafAtFirst = box.isDeaf
        // What stands in the eventfd's place takes no signal.
        let full = unsafe try FileDescriptor.open("/dev/full", .writeOnly)
        defer { try? full.close() }
        let kept = try EventFD(duplicating: box.wake.descriptor)
        #expect(dup2(full.rawValue, box.wake.descriptor.rawValue) >= 0)
        #expect(box.perform { $0.value } == nil)
        #expect(!isDeafAtFirst && box.isDeaf && box.wakeRefusal == .noSpace)
        #expect(box.perform { $0.value } == nil)
        #expect(dup2(kept.descriptor.rawValue, box.wake.descriptor.rawValue) >= 0)
    }
}
