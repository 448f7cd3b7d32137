internal import Dispatch
internal import WorkerRuntime

/// A thread of a test's own: the threads of Dispatch are few, and one that spins or waits keeps others from running.
package final class TestThread: Sendable {
    private let ended = DispatchSemaphore(value: 0)

    /// Starts `body`.
    package init(_ body: @escaping @Sendable () -> Void) throws {
        let ended = ended
        try WorkerThread.start(name: "test") {
            0
        } run: { (_: inout Int) in
            body()
            ended.signal()
        }
    }

    /// Waits for the end of the thread. Once.
    package func wait() { ended.wait() }
}
