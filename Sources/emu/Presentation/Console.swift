internal import Glibc
internal import Synchronization
internal import SystemPackage

/// Standard error, shared by messages, the log and the live line, each of which leaves the others whole.
///
/// Any thread. A write that fails is dropped: there is nobody left to tell.
final class Console: Sendable {
    /// The process's one.
    static let shared = Console(
        descriptor: .standardError, isTerminal: isatty(FileDescriptor.standardError.rawValue) == 1)

    /// Whether somebody watches, so that a live line makes sense.
    let isTerminal: Bool
    private let descriptor: FileDescriptor
    private let liveLine = Mutex("")

    init(descriptor: FileDescriptor, isTerminal: Bool) {
        self.descriptor = descriptor
        self.isTerminal = isTerminal
    }

    /// Prints lines above the live line.
    func print(_ text: String) {
        liveLine.withLock { line in
            write((line.isEmpty ? "" : Self.eraseLine) + text + "\n" + line)
        }
    }

    /// Replaces the live line, where somebody watches; empty takes it away.
    func showLive(_ text: String) {
        guard isTerminal else { return }
        liveLine.withLock { line in
            guard !(line.isEmpty && text.isEmpty) else { return }
            write(Self.eraseLine + text)
            line = text
        }
    }

    /// Prints lines to standard output, which belongs to results.
    static func output(_ text: String) {
        _ = try? FileDescriptor.standardOutput.writeAll(Array((text + "\n").utf8))
    }

    /// To the line's begin, and clear to its end (ECMA-48 EL).
    private static let eraseLine = "\r\u{1b}[K"

    private func write(_ text: String) {
        _ = try? descriptor.writeAll(Array(text.utf8))
    }
}
