internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Standard error, shared by messages, the log and the live line, each of which leaves the others whole.
///
/// Any thread. A message or a log line that cannot be written is dropped: there is nobody left to tell. Results go
/// elsewhere: to ``output(_:)``, or to ``present(_:)`` where standard output belongs to JSON.
final class Console: Sendable {
    /// The process's one.
    static let shared = Console(
        descriptor: .standardError, isTerminal: Terminal(.standardError).canRewrite)
    /// Standard output, which belongs to results.
    static let results = ResultStream(descriptor: .standardOutput)

    /// Whether somebody watches, so that a live line makes sense.
    let isTerminal: Bool
    private let descriptor: FileDescriptor
    private let terminal: Terminal
    private let state = Mutex(State())

    private struct State {
        var liveLine = ""
        /// Why something that people were to read is missing.
        var failure: Errno?
    }

    init(descriptor: FileDescriptor, isTerminal: Bool) {
        self.descriptor = descriptor
        self.isTerminal = isTerminal
        terminal = Terminal(descriptor)
    }

    /// Prints lines above the live line.
    func print(_ text: String) {
        state.withLock { _ = printAbove($0.liveLine, text) }
    }

    /// Prints what people were to read of a result; that it could not be written is remembered.
    func present(_ text: String) {
        state.withLock { state in
            if let error = printAbove(state.liveLine, text), state.failure == nil { state.failure = error }
        }
    }

    /// Prints a last line in place of the live line, unless somebody is stuck in a write to the same terminal or
    /// pipe, or it has no room. For the one who ends the process from another thread.
    func printLast(_ text: String) {
        withoutWaiting { state in
            _ = write((state.liveLine.isEmpty ? "" : Self.eraseLine) + text + "\n")
            state.liveLine = ""
        }
    }

    /// Prints a line above the live line, unless somebody is stuck in a write, or there is no room.
    func printUnlessStuck(_ text: String) {
        withoutWaiting { _ = printAbove($0.liveLine, text) }
    }

    private func withoutWaiting(_ body: (inout State) -> Void) {
        for _ in 0..<Self.attempts {
            let done: Void? = state.withLockIfAvailable { state in
                if descriptor.hasRoom { body(&state) }
            }
            if done != nil { return }
            usleep(1000)
        }
    }

    /// How often, a millisecond apart, a line that must not wait looks for a moment when nobody else prints.
    private static let attempts = 100

    /// Replaces the live line, where somebody watches; empty takes it away. It is cut to the terminal's width, since
    /// what goes on in the next line can never be erased, and left out while the process is in the background.
    func showLive(_ text: String) {
        guard isTerminal else { return }
        let shown = terminal.isInBackground ? "" : text
        state.withLock { state in
            guard !(state.liveLine.isEmpty && shown.isEmpty) else { return }
            _ = write(Self.eraseLine + terminal.fitting(shown))
            state.liveLine = shown
        }
    }

    /// Prints lines to standard output. A failure is remembered and ends in the exit status (``lostResult``): the
    /// caller has nothing to do about it.
    static func output(_ text: String) { results.write(text) }

    /// The first result of the process that could not be written. For whoever has written all of a stream: each call asks
    /// the file system once more.
    static var lostResult: LostResult? {
        if let error = results.finish() { return LostResult(stream: "standard output", error: error) }
        return shared.state.withLock(\.failure).map { LostResult(stream: "standard error", error: $0) }
    }

    /// To the line's begin, and clear to its end (ECMA-48 EL).
    private static let eraseLine = "\r\u{1b}[K"

    private func printAbove(_ liveLine: String, _ text: String) -> Errno? {
        write((liveLine.isEmpty ? "" : Self.eraseLine) + text + "\n" + terminal.fitting(liveLine))
    }

    private func write(_ text: String) -> Errno? {
        do throws(Errno) {
            try descriptor.writeWhole(Array(text.utf8))
            return nil
        } catch {
            return error
        }
    }
}
