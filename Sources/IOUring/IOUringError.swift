public import SystemPackage

/// What went wrong with a ring, in the kernel's number and in words that say what to do.
public struct IOUringError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What kind of failure it is, for a caller that decides by it.
    public enum Code: Equatable, Sendable {
        /// The machine or its container does not let this process use io_uring.
        case unavailable
        /// Too little memory may be locked for what was asked.
        case lockedMemory
        /// A size or an argument the kernel does not take.
        case invalidArgument
        /// The completion queue overflowed: completions must be consumed before more is submitted.
        case completionsPending
        /// The kernel is short of something for the moment: consume completions, wait a little, try again.
        case tryAgain
        /// Signals kept interrupting the call: nothing is wrong with the ring.
        case interrupted
        /// The calling thread does not own the ring.
        case wrongThread
        /// Anything else; the errno says what.
        case system
    }

    /// The kind of failure.
    public let code: Code
    /// The kernel's answer.
    public let errno: Errno
    /// What was attempted, why it failed and what to do, in one line.
    public let context: String

    package init(code: Code, errno: Errno, context: String) {
        self.code = code
        self.errno = errno
        self.context = context
    }

    /// The context and the errno, on one line.
    public var description: String { "\(context) (\(errno))" }
}

extension IOUringError {
    /// The error of a ring that could not be created.
    ///
    /// A pure function of the kernel's answer and of `/proc/sys/kernel/io_uring_disabled` (Linux 6.6 and later;
    /// 0 allows everyone, 1 only members of `kernel.io_uring_group` and CAP_SYS_ADMIN, 2 nobody).
    ///
    /// - Parameter disabledSetting: the file's contents, `nil` where the kernel has no such file.
    package static func setup(
        _ errno: Errno, disabledSetting: String?, submissionEntries: Int, completionEntries: Int
    ) -> IOUringError {
        let setting = disabledSetting.map { String($0.filter(\.isNumber)) }
        switch errno {
        case .notPermitted where setting == "2":
            return IOUringError(
                code: .unavailable, errno: errno,
                context: "io_uring is disabled on this machine: as root, sysctl kernel.io_uring_disabled=0"
            )
        case .notPermitted where setting == "1":
            return IOUringError(
                code: .unavailable, errno: errno,
                context: "io_uring is disabled for unprivileged users: join the group of "
                    + "kernel.io_uring_group, or as root, sysctl kernel.io_uring_disabled=0"
            )
        case .notPermitted, .permissionDenied:
            return IOUringError(
                code: .unavailable, errno: errno,
                context: "io_uring is refused by a security policy, most often a container's seccomp "
                    + "profile: allow io_uring_setup, io_uring_enter and io_uring_register in it"
            )
        case .noFunction:
            return IOUringError(
                code: .unavailable, errno: errno,
                context: "this kernel has no io_uring, or a container's seccomp profile hides it: "
                    + "use Linux 6.1 or later built with CONFIG_IO_URING, and allow io_uring_setup"
            )
        case .noMemory:
            return IOUringError(
                code: .lockedMemory, errno: errno,
                context: "no memory for a ring of \(submissionEntries) submissions and "
                    + "\(completionEntries) completions: raise ulimit -l or use smaller queues"
            )
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem:
            return IOUringError(
                code: .system, errno: errno,
                context: "no file descriptor is left for a ring: raise ulimit -n"
            )
        case .invalidArgument:
            return IOUringError(
                code: .invalidArgument, errno: errno,
                context: "the kernel refuses a ring of \(submissionEntries) submissions and "
                    + "\(completionEntries) completions: at most 32768 and 65536, completions not fewer "
                    + "than submissions"
            )
        default:
            return IOUringError(code: .system, errno: errno, context: "cannot create a ring")
        }
    }

    /// Whether the same call may succeed a little later, once the completions that are there have been consumed.
    public var isTransient: Bool {
        code == .completionsPending || code == .tryAgain || code == .interrupted
    }

    /// The error of a submission or a wait, by what io_uring_enter(2) says of `errno`.
    package static func enter(_ errno: Errno) -> IOUringError {
        func error(_ code: Code, _ words: String) -> IOUringError {
            IOUringError(code: code, errno: errno, context: "io_uring_enter was refused: " + words)
        }
        return switch errno {
        case .resourceBusy:
            error(
                .completionsPending,
                "the completion queue overflowed: consume completions before submitting more")
        case .resourceTemporarilyUnavailable:
            error(.tryAgain, "the kernel is short of memory for requests: free some")
        case .interrupted:
            error(.interrupted, "signals interrupt it again and again")
        case .fileExists:
            error(.wrongThread, "the ring belongs to another thread: enable it on the thread that uses it")
        case Errno(rawValue: 77):  // EBADFD: the ring is still disabled.
            error(.wrongThread, "the ring is not enabled: call enable() on the thread that uses it")
        case .badFileDescriptor, .noSuchAddressOrDevice, .notSupported:
            error(.system, "its descriptor is no ring any more: something else in this process closed it")
        case Errno(rawValue: 53):  // EBADR
            error(.system, "completions were lost, as the kernel had no memory to keep them: free some")
        case .noMemory, .tooManyOpenFiles, .tooManyOpenFilesInSystem:
            error(.system, "memory or descriptors are used up: free some, or raise ulimit -l and -n")
        case .notPermitted, .permissionDenied, .noFunction:
            error(
                .unavailable,
                "a security policy allows the ring and not its use: allow io_uring_enter in the seccomp profile"
            )
        default:
            error(.system, "the kernel takes no request")
        }
    }
}
