import Glibc
import SystemPackage
import Testing

@testable import WorkerRuntime

/// A worker that cannot start, and whoever talks to it.
@Suite("A worker that is not there", .timeLimit(.minutes(15)))
struct WorkerStartTests {
    private struct State: ~Copyable {
        var isEnding = false
    }

    @Test("is said to be so, and its box answers every command: nobody waits for it")
    func setUpFails() throws {
        let box = try CommandBox<State>()
        #expect(throws: WorkerThread.StartFailure<Errno>.self) {
            try WorkerThread.start(name: "test", box: box) { () throws(Errno) -> State in
                throw .tooManyOpenFiles
            } run: { _ in
            }
        }
        #expect(box.perform { $0.isEnding = true } == nil)
        #expect(box.perform { $0.isEnding } == nil)
    }

    /// Closes a file when it goes, as a worker's port does.
    private struct Owner: ~Copyable {
        let file: FileDescriptor
        deinit { try? file.close() }
    }

    @Test("whoever has joined it finds what it owned closed")
    func joined() throws {
        for _ in 0..<200 {
            let (reader, writer) = try FileDescriptor.pipe()
            defer { try? reader.close() }
            let thread = try WorkerThread.start(name: "test") {
                Owner(file: writer)
            } run: { (_: inout Owner) in
            }
            thread.join()
            var event = pollfd(fd: reader.rawValue, events: 0, revents: 0)
            let count = unsafe poll(&event, 1, 0)
            #expect(count == 1 && event.revents & Int16(POLLHUP) != 0)
            thread.join()
        }
    }

    @Test("one that has returned from its work answers the commands of later as well")
    func hasEnded() throws {
        let box = try CommandBox<State>()
        try WorkerThread.start(name: "test", box: box) {
            State()
        } run: { _ in
        }.join()
        #expect(box.perform { $0.isEnding } == nil)
    }
}
