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

    /// Says when it goes, as a worker's port then closes its file. A file would say it of every process that has it: a child
    /// that another test makes meanwhile is one.
    private struct Owner: ~Copyable {
        let isGone: Flag
        deinit { isGone.set() }
    }

    @Test("whoever has joined it finds what it owned gone")
    func joined() throws {
        for _ in 0..<200 {
            let flag = Flag()
            let thread = try WorkerThread.start(name: "test") {
                Owner(isGone: flag)
            } run: { (_: inout Owner) in
            }
            thread.join()
            #expect(flag.isSet)
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
