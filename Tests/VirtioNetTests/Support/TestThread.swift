import Dispatch

@testable import VirtioNet

/// A thread of a test's own: the threads of Dispatch are few, and one that spins or waits keeps others from running.
final class TestThread: Sendable {
    private let ended = DispatchSemaphore(value: 0)

    /// Starts `body`.
    init(_ body: @escaping @Sendable () -> Void) throws {
        let ended = ended
        try WorkerThread.start(name: "test") {
            0
        } run: { (_: inout Int) in
            body()
            ended.signal()
        }
    }

    /// Waits for the end of the thread. Once.
    func wait() { ended.wait() }
}
