import Glibc
import LinuxHost
import SystemPackage
import TestSupport
import Testing

@testable import IOUring
@testable import WorkerRuntime

/// The life that every worker of an event loop has.
@Suite("A worker's life", .timeLimit(.minutes(15)))
struct EventLoopWorkerTests {
    private typealias Step = NotingWorker.Step

    private let steps = Guarded<[NotingWorker.Step]>([])
    private let failures = Guarded<[WorkerFailure]>([])

    private var noted: [Step] { steps.withLock { $0 } }

    private func start(
        work: Int = 0, surprises: Int = 0
    ) throws -> RunningWorker<NotingWorker> {
        let (steps, failures) = (steps, failures)
        return try RunningWorker(name: "test") { failure in
            failures.withLock { $0.append(failure) }
        } setUp: { commands in
            try NotingWorker(commands: commands, steps: steps, work: work, surprises: surprises)
        }
    }

    @Test("is a pass between any two commands, however soon they follow each other")
    func onePassACommand() throws {
        let worker = try start()
        let senders = try (0..<4).map { _ in
            try TestThread { for _ in 0..<500 { worker.perform { $0.note(.command) } } }
        }
        for sender in senders { sender.wait() }
        worker.shutdown()
        let noted = noted
        let commands = noted.indices.filter { noted[$0] == .command }
        #expect(commands.count == 2000)
        for (command, next) in zip(commands, commands.dropFirst()) {
            #expect(noted[command..<next].contains(.pass))
        }
    }

    @Test("does not sleep while a pass finds something, and is not asked to: counts are published after each")
    func noSleepInWork() throws {
        let worker = try start(work: 3)
        worker.settle()
        let untilSleep = noted.prefix { $0 != .sleep }
        #expect(
            Array(untilSleep) == [.pass, .counts, .pass, .counts, .pass, .counts, .pass, .counts, .question])
    }

    @Test("does not sleep where something has come by the time the other side is asked for signals")
    func somethingMeanwhile() throws {
        let worker = try start(surprises: 2)
        worker.settle()
        let untilSleep = noted.prefix { $0 != .sleep }
        let pass: [Step] = [.pass, .counts, .question]
        #expect(Array(untilSleep) == pass + pass + pass)
    }

    @Test("is at rest when it sleeps, and not with a signal that no pass has taken")
    func rest() throws {
        let signal = try EventFD()
        signal.signal()
        let worker = try start()
        worker.settle()
        #expect(worker.perform { $0.isAtRest } == true)
        let isAtRest = worker.perform { worker in
            worker.loop.bind(signal.descriptor, signal: 0)
            worker.loop.collect()
            return worker.isAtRest
        }
        #expect(isAtRest == false)
        worker.settle()
        worker.shutdown()
        // The last command hands over and publishes what there is.
        #expect(noted.suffix(5) == [.counts, .question, .sleep, .finish, .counts])
    }

    @Test("goes on at a signal, with a pass")
    func signal() throws {
        let signal = try EventFD()
        let worker = try start()
        worker.perform { $0.loop.bind(signal.descriptor, signal: 0) }
        worker.settle()
        #expect(!noted.contains(.signal))
        signal.signal()
        #expect(eventually { noted.contains(.signal) })
        worker.shutdown()
    }

    @Test("after a failure has no pass any more, tells of it once, and answers commands")
    func failure() throws {
        let worker = try start()
        worker.settle()
        let passes = worker.perform { worker in
            worker.loop.fail(EventLoopFailure(.enter(.badFileDescriptor)))
            return noted.count { $0 == .pass }
        }
        for _ in 0..<3 { worker.perform { $0.note(.command) } }
        worker.settle()
        #expect(noted.count { $0 == .command } == 3)
        #expect(noted.count { $0 == .pass } == passes)
        let failure = try #require(worker.failure)
        #expect(failure.errno == .badFileDescriptor && failure.worker == NotingWorker.title)
        worker.shutdown()
        #expect(failures.withLock { $0 } == [failure])
    }

    @Test("is at rest after a failure, also after one in the midst of work")
    func restAfterFailure() throws {
        let worker = try start(work: .max)
        worker.perform { $0.loop.fail(EventLoopFailure(.enter(.badFileDescriptor))) }
        worker.synchronise()
        #expect(worker.perform { $0.isAtRest } == true)
        worker.shutdown()
    }

    @Test("ends in failure where the other side cannot be woken")
    func lostSignal() throws {
        let worker = try start()
        worker.perform { $0.signalRefusal = .noSpace }
        #expect(eventually { worker.failure != nil })
        #expect(worker.failure?.call == "write" && worker.failure?.errno == .noSpace)
        worker.shutdown()
        #expect(failures.withLock { $0 }.count == 1)
    }

    @Test(
        "ends with its last command, in which it hands over and publishes: no pass, no command, no sleep follow"
    )
    func end() throws {
        let worker = try start()
        worker.settle()
        worker.shutdown()
        #expect(noted.suffix(2) == [.finish, .counts])
        #expect(worker.perform { $0.note(.command) } == nil)
        let atTheEnd = noted
        worker.shutdown()
        #expect(noted == atTheEnd && !atTheEnd.contains(.command))
    }

    @Test("ends with the value that stands for it")
    func letGoOf() throws {
        do { _ = try start() }
        #expect(noted.suffix(2) == [.finish, .counts])
    }

    @Test("is over at once where it cannot be woken")
    func deaf() throws {
        let box = try CommandBox<NotingWorker>()
        let full = unsafe try FileDescriptor.open("/dev/full", .writeOnly)
        defer { try? full.close() }
        let kept = try EventFD(duplicating: box.wake.descriptor)
        var worker = try NotingWorker(commands: kept.descriptor, steps: steps)
        #expect(dup2(full.rawValue, box.wake.descriptor.rawValue) >= 0)
        #expect(box.perform { $0.note(.command) } == nil)
        worker.run(box) { _ in Issue.record("nothing has failed in the loop") }
        #expect(noted.isEmpty)
        #expect(dup2(kept.descriptor.rawValue, box.wake.descriptor.rawValue) >= 0)
    }

    @Test("does not begin where it could not be made, and the error says why")
    func notMade() {
        let error = #expect(throws: WorkerStartFailure<Errno>.self) {
            try RunningWorker<NotingWorker>(name: "test") { _ throws(Errno) in throw .noMemory }
        }
        guard case .thread(.setUp(.noMemory)) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }
}
