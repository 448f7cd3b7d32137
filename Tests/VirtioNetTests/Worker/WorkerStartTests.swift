import GuestMemory
import SystemPackage
import Testing

@testable import VirtioNet

/// A worker that cannot start, and whoever talks to it.
@Suite("A worker that is not there", .timeLimit(.minutes(15)))
struct WorkerStartTests {
    private struct State: ~Copyable {
        var isEnding = false
    }

    @Test("is said to be so, and its box answers every command: nobody waits for it")
    func setUpFails() throws {
        let box = try CommandBox<State>()
        #expect(throws: WorkerThread.StartFailure<VirtioNetError>.self) {
            try WorkerThread.start(name: "test", box: box) { () throws(VirtioNetError) -> State in
                throw VirtioNetError(.noEventDescriptor, errno: .tooManyOpenFiles)
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

    @Test("a port of which there cannot be another ends the pairs that were started")
    func laterPairFails() throws {
        let space = ConfigurationSpace([UInt8](repeating: 0, count: 24))
        for _ in 0..<3 {
            #expect(throws: VirtioNetError.self) {
                try NetworkDevice(name: "device", queuePairs: 4, port: .simulator(space)) { _ in }
            }
        }
    }
}
