internal import IOUring
package import SystemPackage

/// Why an event loop does nothing any more: a ``WorkerFailure`` that does not know yet whose it is.
package struct EventLoopFailure: Equatable, Sendable {
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
    package init(signalRefused errno: Errno) {
        call = "write"
        self.errno = errno
        context = "write was refused on an eventfd that wakes the other side: is a security policy in force?"
    }

    private init(call: String, errno: Errno, context: String) {
        (self.call, self.errno, self.context) = (call, errno, context)
    }
}
