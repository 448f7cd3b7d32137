internal import IOUring
package import SystemPackage

/// Why a worker moves no more frames: a system call that it cannot do without is refused for good.
///
/// Its rings stand where they stood and nothing is in flight; it answers letters until it is ended.
package struct WorkerFailure: Error, Equatable, Sendable, CustomStringConvertible {
    /// Whose work has ended, as a person calls it.
    package let worker: String
    /// The system call, as its manual page is called.
    package let call: String
    /// What it answered.
    package let errno: Errno
    /// The call, what it means and what to do.
    let context: String

    init(worker: String, _ cause: EventLoopFailure) {
        self.worker = worker
        (call, errno, context) = (cause.call, cause.errno, cause.context)
    }

    package var description: String { "\(worker) has stopped: \(context) (\(errno))" }
}

/// The same, as the event loop knows it.
struct EventLoopFailure: Equatable, Sendable {
    let call: String
    let errno: Errno
    let context: String

    /// A submission or a wait was refused.
    init(_ error: IOUringError) {
        (call, errno, context) = ("io_uring_enter", error.errno, error.context)
    }

    /// A poll of `file`, as "its eventfd", ends as soon as it is made.
    init(pollRefused errno: Errno, of file: String) {
        call = "io_uring poll"
        self.errno = errno
        context = "a poll of \(file) was refused again and again: something else closed it"
    }

    /// A request does not fit into a ring that was just submitted.
    static let noRoom = EventLoopFailure(
        call: "io_uring_enter", errno: .resourceBusy,
        context:
            "io_uring_enter took no request from a full queue: this kernel's io_uring is not as documented")

    /// An eventfd that others wait for takes no signal.
    init(signalRefused errno: Errno) {
        call = "write"
        self.errno = errno
        context = "write was refused on an eventfd that wakes the other side: is a security policy in force?"
    }

    private init(call: String, errno: Errno, context: String) {
        (self.call, self.errno, self.context) = (call, errno, context)
    }
}
