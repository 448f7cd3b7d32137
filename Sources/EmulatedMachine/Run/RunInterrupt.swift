internal import LinuxHost
internal import Synchronization
package import SystemPackage

/// How another thread, a signal's for one, asks a command to end early.
///
/// A command is *preparing* until it first says what it does (``enter(_:)``): so far nothing has been measured, so
/// whoever asks may end the process itself. From then on the command polls ``wasRaised`` at its safe points and
/// ends with what it has.
package final class RunInterrupt: Sendable {
    private let event: EventFD
    private let isRaised = Atomic<Bool>(false)
    private let phase = Mutex(Phase.preparing)

    /// How far the command is.
    private enum Phase {
        case preparing
        /// The control thread does this.
        case measuring(step: String)
        case ended
    }

    package init() throws(MachineError) {
        do throws(Errno) {
            event = try EventFD()
        } catch {
            throw .unsupported("an eventfd is needed and could not be made: \(Shortage.words(error))")
        }
    }

    /// Asks the command to end. Any thread, any number of times.
    package func raise() {
        isRaised.store(true, ordering: .releasing)
        event.signal()
    }

    /// Asks the command to end, or runs `end` where it is still preparing. The control thread cannot go on to
    /// measure meanwhile: its ``enter(_:)`` waits for `end`. Any thread.
    package func raise(orWhilePreparing end: () -> Void) {
        phase.withLock { phase in
            if case .preparing = phase { end() }
            raise()
        }
    }

    /// Whether somebody has asked. One atomic load; any thread.
    package var wasRaised: Bool { isRaised.load(ordering: .acquiring) }

    /// Says what the control thread does from now on, in words that go after "waiting for". The first call ends
    /// the preparation. Control thread; a lock and an assignment, so not for the path of a packet.
    package func enter(_ step: String) { phase.withLock { $0 = .measuring(step: step) } }

    /// Says that the command has ended and told its result: nobody waits for it any more. Control thread.
    package func leave() { phase.withLock { $0 = .ended } }

    /// Does what a signal must not end half way while the command prepares, such as a file made and taken away.
    /// Control thread; a signal waits for it.
    package func undisturbed<Value: Sendable, Failure: Error>(
        _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try phase.withLock { (_) throws(Failure) in try body() }
    }

    /// What the control thread last said it does; `nil` while it prepares and once it has ended. Any thread.
    package var step: String? {
        phase.withLock { phase in
            if case .measuring(let step) = phase { step } else { nil }
        }
    }

    /// Becomes readable when somebody asks; for poll(2).
    package var descriptor: FileDescriptor { event.descriptor }
}
