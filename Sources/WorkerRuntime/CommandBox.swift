internal import Dispatch
internal import Glibc
package import LinuxHost
internal import Synchronization
package import SystemPackage

/// How another thread has a worker do something: one command at a time, each answered before ``perform(_:)``
/// returns.
///
/// A worker owns its state alone and never locks it. A command is a closure over that state, run by the worker
/// between two batches, when nothing of the current batch is in flight. The worker polls ``wake`` with its ring.
public final class CommandBox<Worker: ~Copyable>: Sendable {
    /// Sendable because its sender waits for the answer: nobody else touches what `run` captures meanwhile.
    private final class Command: @unchecked Sendable {
        private var run: ((inout Worker) -> Void)?
        private let answered = DispatchSemaphore(value: 0)
        /// Says the same as the semaphore, in a way that ThreadSanitizer sees: it does not look into Dispatch.
        private let isAnswered = Atomic<Bool>(false)

        init(_ run: @escaping (inout Worker) -> Void) { self.run = run }

        /// Runs the command and lets its sender go on, after which the command may be gone.
        ///
        /// The closure is let go of first: it lives on the sender's stack.
        func answer(_ worker: inout Worker) {
            run?(&worker)
            answerUnread()
        }

        /// Lets the sender go on, with nothing done.
        func answerUnread() {
            let answered = answered
            run = nil
            isAnswered.store(true, ordering: .releasing)
            answered.signal()
        }

        func waitForAnswer() {
            answered.wait()
            precondition(
                isAnswered.load(ordering: .acquiring), "a command's sender goes on without an answer")
        }
    }

    /// What waits: nothing, a command by its address, or a worker that has ended.
    ///
    /// One sender at a time turns nothing into a command, and the worker alone turns a command into nothing. The
    /// sender keeps the command alive until it is answered, so that the worker never counts a reference. No lock:
    /// ThreadSanitizer does not look into the slow path of the standard library's either.
    private let slot = Atomic<UInt>(SlotContent.nothing)
    private let deaf = Atomic<Bool>(false)
    private let refusal = Atomic<Int32>(0)
    /// Lets one sender in at a time.
    private let senders = DispatchSemaphore(value: 1)

    /// Signalled with every command; the worker polls it and never needs to read it.
    package let wake: EventFD

    package init() throws(Errno) {
        wake = try EventFD()
    }

    /// Runs `body` on the worker's thread and returns its answer; `nil` when the worker has ended, or was never there:
    /// ``WorkerThread/start(name:box:setUp:run:)`` closes the box of a worker that it could not start.
    ///
    /// Blocks the calling thread, which must not be the worker's own. Where the worker cannot be woken the command is
    /// taken back after a while and answered with `nil`.
    package func perform<Answer>(_ body: (inout Worker) -> Answer) -> Answer? {
        senders.wait()
        defer { senders.signal() }
        var answer: Answer?
        withoutActuallyEscaping({ (worker: inout Worker) in answer = body(&worker) }) { run in
            let command = Command(run)
            let address = unsafe UInt(bitPattern: Unmanaged.passUnretained(command).toOpaque())
            let isPosted = slot.compareExchange(
                expected: SlotContent.nothing, desired: address, ordering: .acquiringAndReleasing
            ).exchanged
            if isPosted, wakeWorker() || !takeBack(address) { command.waitForAnswer() }
        }
        return answer
    }

    /// Wakes the worker for a command. `false` where the eventfd does not take the signal, of which the worker is told
    /// by ``isDeaf``: it ends at its next pass, since nobody could stop it any more.
    private func wakeWorker() -> Bool {
        for _ in 0..<(isDeaf ? 1 : Self.wakeAttempts) {
            guard let errno = wake.signalOwn() else { return true }
            refusal.store(errno.rawValue, ordering: .relaxed)
            usleep(1000)
        }
        deaf.store(true, ordering: .releasing)
        return false
    }

    private static var wakeAttempts: Int { 20 }

    /// Whether the worker could not be woken for a command.
    @usableFromInline package var isDeaf: Bool { deaf.load(ordering: .acquiring) }

    /// Why it could not be woken; `nil` where it could.
    package var wakeRefusal: Errno? { isDeaf ? Errno(rawValue: refusal.load(ordering: .relaxed)) : nil }

    /// Takes a command back that the worker has not taken.
    private func takeBack(_ address: UInt) -> Bool {
        slot.compareExchange(
            expected: address, desired: SlotContent.nothing, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Runs the command that waits on `worker`. For the worker's thread.
    ///
    /// One at the most: the worker makes a pass between two commands, whoever posts the next one however soon, and
    /// after a command that ends the worker no later one runs. The next has signalled ``wake`` itself.
    @usableFromInline
    package func deliver(to worker: inout Worker) {
        guard let command = unsafe take(leaving: SlotContent.nothing) else { return }
        unsafe command._withUnsafeGuaranteedRef { $0.answer(&worker) }
    }

    /// Answers a waiting command unread and refuses later ones. For the worker's thread, as its last act, or for
    /// whoever could not start it.
    package func close() {
        guard let unread = unsafe take(leaving: SlotContent.ended) else { return }
        unsafe unread._withUnsafeGuaranteedRef { $0.answerUnread() }
    }

    /// The command that waits.
    @unsafe
    private func take(leaving content: UInt) -> Unmanaged<Command>? {
        let address = slot.exchange(content, ordering: .acquiringAndReleasing)
        guard let pointer = unsafe UnsafeRawPointer(bitPattern: address), address != SlotContent.ended else {
            return nil
        }
        return unsafe Unmanaged.fromOpaque(pointer)
    }
}

/// What a command box's slot holds besides a command's address; no object has one of these.
private enum SlotContent {
    static var nothing: UInt { 0 }
    static var ended: UInt { 1 }
}
