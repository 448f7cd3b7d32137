import Glibc
import LinuxHost
import Synchronization
import SystemPackage
import Testing

@testable import VirtioNet

/// Letters between a control thread and a worker.
@Suite("A mailbox", .timeLimit(.minutes(15)))
struct MailboxTests {
    private struct Counter: ~Copyable {
        var value = 0
    }

    /// Delivers to a counter on a thread of its own until a letter makes the value negative.
    private func serve(_ mailbox: Mailbox<Counter>) throws -> TestThread {
        try TestThread {
            var counter = Counter()
            while counter.value >= 0 { mailbox.deliver(to: &counter) { $0.value < 0 } }
            mailbox.close()
        }
    }

    @Test("a letter is answered after it has run, in the order of sending")
    func order() throws {
        let mailbox = try Mailbox<Counter>()
        let ended = try serve(mailbox)
        for number in 0..<1000 {
            let value = mailbox.perform { counter -> Int in
                counter.value += 1
                return counter.value
            }
            #expect(value == number + 1)
        }
        #expect(mailbox.perform { $0.value = -1 } != nil)
        ended.wait()
    }

    @Test("letters of several threads all run, each once")
    func severalSenders() throws {
        let mailbox = try Mailbox<Counter>()
        let ended = try serve(mailbox)
        let senders = try (0..<8).map { _ in
            try TestThread { for _ in 0..<500 { mailbox.perform { $0.value += 1 } } }
        }
        for sender in senders { sender.wait() }
        #expect(mailbox.perform { $0.value } == 4000)
        mailbox.perform { $0.value = -1 }
        ended.wait()
    }

    @Test("a letter after the end is answered with nil, and does not run")
    func afterTheEnd() throws {
        let mailbox = try Mailbox<Counter>()
        let ended = try serve(mailbox)
        mailbox.perform { $0.value = -1 }
        ended.wait()
        var hasRun = false
        #expect(mailbox.perform { _ in hasRun = true } == nil)
        #expect(!hasRun)
    }

    @Test("a letter that waits when the worker ends is answered with nil")
    func waitingAtTheEnd() throws {
        let mailbox = try Mailbox<Counter>()
        let hasNoAnswer = Flag()
        let sender = try TestThread {
            hasNoAnswer.isSet.store(mailbox.perform { $0.value } == nil, ordering: .relaxed)
        }
        // The letter is in the box when its wake-up has come.
        #expect(eventually { mailbox.wake.drain() > 0 })
        mailbox.close()
        sender.wait()
        let isAnsweredNil = hasNoAnswer.isSet.load(ordering: .relaxed)
        #expect(isAnsweredNil)
    }

    @Test("a worker that cannot be woken: the letter is answered with nil, and the worker is told to end")
    func deafWorker() throws {
        let mailbox = try Mailbox<Counter>()
        let isDeafAtFirst = mailbox.isDeaf
        // What stands in the eventfd's place takes no signal.
        let full = unsafe try FileDescriptor.open("/dev/full", .writeOnly)
        defer { try? full.close() }
        let kept = try EventFD(duplicating: mailbox.wake.descriptor)
        #expect(dup2(full.rawValue, mailbox.wake.descriptor.rawValue) >= 0)
        #expect(mailbox.perform { $0.value } == nil)
        #expect(!isDeafAtFirst && mailbox.isDeaf && mailbox.wakeRefusal == .noSpace)
        #expect(mailbox.perform { $0.value } == nil)
        #expect(dup2(kept.descriptor.rawValue, mailbox.wake.descriptor.rawValue) >= 0)
    }

    private final class Flag: Sendable {
        let isSet = Atomic<Bool>(false)
    }
}
