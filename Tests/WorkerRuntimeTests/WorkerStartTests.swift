import SystemPackage
import TestSupport
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

    @Test("one that has returned from its work answers the commands of later as well")
    func hasEnded() throws {
        let box = try CommandBox<State>()
        try WorkerThread.start(name: "test", box: box) {
            State()
        } run: { _ in
        }
        #expect(eventually { box.perform { $0.isEnding } == nil })
    }
}
