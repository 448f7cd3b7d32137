internal import Synchronization
internal import SystemPackage

/// A stream that results go to. It remembers the first text that could not be written, because the exit status
/// has to say so: a result that nobody can read is no success.
///
/// Any thread.
final class ResultStream: Sendable {
    /// What the stream has been given.
    private struct State {
        var hasBegun = false
        var failure: Errno?
    }

    private let descriptor: FileDescriptor
    private let state = Mutex(State())

    init(descriptor: FileDescriptor) { self.descriptor = descriptor }

    /// Writes `text` and a line break, whole. After a failure nothing more is written: half a result is none.
    func write(_ text: String) {
        state.withLock { state in
            state.hasBegun = true
            write(text, &state)
        }
    }

    /// Writes `text`, where there is one, and ends the process with `end`, unless a result has been written or is
    /// being written at this moment: then it returns. For another thread than the one with the results. A reader
    /// finds one result or the other, and never a part of one.
    func end(with text: String?, _ end: () -> Never) {
        state.withLockIfAvailable { state in
            guard !state.hasBegun else { return }
            if let text { write(text, &state) }
            end()
        }
    }

    /// Whether somebody is in a write at this moment, waiting for the reader.
    var isWriting: Bool { state.withLockIfAvailable { _ in } == nil }

    /// Why something is missing from the stream, if it is. What a file system reports only when a file is closed,
    /// as NFS does a full disk, is asked for here.
    func finish() -> Errno? {
        state.withLock { state in
            guard state.hasBegun, state.failure == nil else { return state.failure }
            do {
                try descriptor.duplicate().close()
            } catch Errno.tooManyOpenFiles {
                // Without a second descriptor there is nothing to close; each write has answered by itself.
            } catch {
                state.failure = error as? Errno ?? .ioError
            }
            return state.failure
        }
    }

    private func write(_ text: String, _ state: inout State) {
        guard state.failure == nil else { return }
        do throws(Errno) {
            try descriptor.writeWhole(Array((text + "\n").utf8))
        } catch {
            state.failure = error
        }
    }
}
