internal import WorkerRuntime

/// A thread of a test's own: the threads of Dispatch are few, and one that spins or waits keeps others from running.
package final class TestThread: Sendable {
    private let thread: WorkerThread

    /// Starts `body`.
    package init(_ body: @escaping @Sendable () -> Void) throws {
        thread = try WorkerThread.start(name: "test") {
            0
        } run: { (_: inout Int) in
            body()
        }
    }

    /// Waits for the end of the thread.
    package func wait() { thread.join() }

    /// Runs `body` on another thread and waits for what it returns.
    package static func run<Answer: Sendable>(_ body: @escaping @Sendable () -> Answer) throws -> Answer {
        let answer = Guarded<Answer?>(nil)
        try TestThread {
            let returned = body()
            answer.withLock { $0 = returned }
        }.wait()
        guard let returned = answer.withLock({ $0 }) else {
            preconditionFailure("a thread ends with an answer")
        }
        return returned
    }
}
