package import SystemPackage

/// Why a worker moves no more frames: a system call that it cannot do without is refused for good.
///
/// Its rings stand where they stood and nothing is in flight; it answers commands until it is ended.
public struct WorkerFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Whose work has ended, as a person calls it.
    package let worker: String
    /// The system call, as its manual page is called.
    package let call: String
    /// What it answered.
    package let errno: Errno
    /// The call, what it means and what to do.
    let context: String

    package init(worker: String, _ cause: EventLoopFailure) {
        self.worker = worker
        (call, errno, context) = (cause.call, cause.errno, cause.context)
    }

    /// Whose work has ended, and why.
    public var description: String { "\(worker) has stopped: \(context) (\(errno))" }
}
