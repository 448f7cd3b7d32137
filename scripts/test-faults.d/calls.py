"""Which errors a system call may answer with, and which calls are left alone, with the reason."""

import errno

# Of each call's manual page: what a kernel may answer to arguments that are right. A shortage, a limit, a policy, a
# signal, a file that went away or a kernel that lacks it.
ERRORS = {
    "bind": "EADDRINUSE ENOMEM EACCES",
    "clock_nanosleep": "EINTR",
    "clone": "EAGAIN ENOMEM EPERM",
    "clone3": "EAGAIN ENOMEM EPERM",
    "close": "EINTR EIO ENOSPC",
    "connect": "EACCES ECONNREFUSED ENOENT EINTR",
    "dup": "EMFILE",
    "dup2": "EMFILE EBUSY EINTR",
    "dup3": "EMFILE EBUSY EINTR",
    "epoll_create1": "EMFILE ENFILE ENOMEM",
    "epoll_ctl": "ENOMEM ENOSPC EPERM",
    "epoll_wait": "EINTR",
    "eventfd2": "EMFILE ENFILE ENOMEM ENODEV",
    "execve": "EACCES ENOENT ENOMEM EAGAIN",
    "fallocate": "ENOSPC EFBIG EIO EINTR EOPNOTSUPP",
    "fchmod": "EPERM EROFS EIO",
    "fcntl": "EACCES EINTR EMFILE EPERM",
    "fdatasync": "EIO ENOSPC EINVAL EINTR",
    "flock": "ENOLCK EWOULDBLOCK",
    "fstat": "ENOMEM EIO EACCES",
    "fstatfs": "EIO ENOMEM ENOSYS EINTR",
    "fsync": "EIO ENOSPC EINVAL EINTR",
    "ftruncate": "EFBIG EINTR EIO ENOMEM ENOSPC EPERM",
    "getcwd": "ENOENT EACCES ENOMEM",
    "getdents64": "ENOENT EIO",
    "getsockname": "ENOBUFS",
    "getsockopt": "ENOMEM ENOPROTOOPT",
    "io_uring_enter": "EAGAIN EBUSY EINTR EBADR ENOMEM EBADFD ENXIO EOPNOTSUPP EINVAL",
    "io_uring_register": "EBUSY EINVAL EMFILE ENOMEM EOPNOTSUPP EPERM ENXIO EACCES",
    "io_uring_setup": "EPERM ENOSYS ENOMEM EMFILE ENFILE EINVAL EAGAIN",
    "ioctl": "EBUSY EPERM EINVAL ENOTTY ENOMEM EIO ENODEV EINTR EFAULT",
    "kill": "EPERM ESRCH",
    "linkat": "EEXIST ENOSPC EACCES EPERM",
    "lseek": "ESPIPE EINVAL",
    "madvise": "EAGAIN ENOMEM EINVAL EPERM",
    "memfd_create": "EMFILE ENFILE ENOMEM ENOSYS EPERM",
    "mkdir": "EACCES ENOSPC EROFS EEXIST EDQUOT ENOENT EMLINK",
    "mlock": "ENOMEM EPERM EAGAIN",
    "mlock2": "ENOMEM EPERM EAGAIN",
    "mmap": "ENOMEM EAGAIN ENFILE EPERM EACCES ENODEV",
    "mprotect": "ENOMEM EACCES",
    "mremap": "ENOMEM EAGAIN EFAULT",
    "munlock": "ENOMEM EPERM",
    "munmap": "ENOMEM EINVAL",
    "newfstatat": "EACCES ENOENT ENOMEM EIO",
    "open": "EACCES EMFILE ENFILE ENOENT ENOMEM ENOSPC EINTR EROFS EPERM EBUSY",
    "openat": "EACCES EMFILE ENFILE ENOENT ENOMEM ENOSPC EINTR EROFS EPERM EBUSY",
    "pidfd_open": "EMFILE ENFILE ENOMEM ENOSYS EPERM",
    "pipe2": "EMFILE ENFILE",
    "poll": "EINTR ENOMEM",
    "ppoll": "EINTR ENOMEM",
    "prctl": "EPERM EINVAL",
    "pread64": "EIO EINTR",
    "prlimit64": "EPERM",
    "process_vm_readv": "EPERM ENOSYS ENOMEM ESRCH",
    "process_vm_writev": "EPERM ENOSYS ENOMEM ESRCH",
    "pselect6": "EINTR ENOMEM",
    "pwrite64": "EIO ENOSPC EINTR EDQUOT EFBIG",
    "read": "EIO EINTR EAGAIN EISDIR ENOMEM",
    "readlink": "EACCES ENOENT EIO",
    "readlinkat": "EACCES ENOENT EIO",
    "recvfrom": "EINTR ENOMEM ENOBUFS",
    "recvmsg": "EINTR ENOMEM ENOBUFS",
    "rename": "EACCES ENOSPC EXDEV EROFS EDQUOT EBUSY ENOENT EIO",
    "renameat": "EACCES ENOSPC EXDEV EROFS EDQUOT EBUSY ENOENT EIO",
    "renameat2": "EACCES ENOSPC EXDEV EROFS EDQUOT EBUSY ENOENT EIO",
    "rt_sigtimedwait": "EINTR",
    "sched_getaffinity": "EINVAL",
    "sched_setaffinity": "EPERM EINVAL",
    "sendmsg": "EINTR ENOMEM ENOBUFS EPERM",
    "sendto": "EINTR ENOMEM ENOBUFS EPERM",
    "setns": "EPERM EINVAL ENOMEM",
    "setrlimit": "EPERM",
    "setsockopt": "ENOMEM ENOPROTOOPT EPERM",
    "signalfd4": "EMFILE ENFILE ENOMEM ENODEV",
    "socket": "EACCES EMFILE ENFILE ENOMEM EAFNOSUPPORT EPERM",
    "socketpair": "EMFILE ENFILE ENOMEM",
    "stat": "EACCES ENOENT ENOMEM EIO",
    "statfs": "EACCES ENOENT EIO ENOSYS",
    "statx": "EACCES ENOENT ENOMEM ENOSYS",
    "sysinfo": "EPERM",
    "timer_create": "EAGAIN ENOMEM",
    "timerfd_create": "EMFILE ENFILE ENOMEM ENODEV",
    "timerfd_settime": "EINVAL",
    "uname": "EPERM",
    "unlink": "EACCES EPERM EROFS EBUSY ENOENT",
    "unlinkat": "EACCES EPERM EROFS EBUSY ENOENT",
    "unshare": "EPERM ENOSPC ENOMEM",
    "vfork": "EAGAIN ENOMEM",
    "wait4": "EINTR ECHILD",
    "waitid": "EINTR ECHILD",
    "write": "EIO ENOSPC EPIPE EINTR EAGAIN EDQUOT EFBIG",
    "writev": "EIO ENOSPC EPIPE EINTR EAGAIN EDQUOT EFBIG",
}

# Of a file of a certain kind, as the function that makes the call tells: what that kind's manual page names. EAGAIN of
# a write to an eventfd is an eventfd that is signalled to the brim: it is no answer to one that waits for its first signal.
ERRORS_OF_KIND = {
    ("write", ("EventFD", "eventfd_signal", "OnePageDriver")): "EINTR",
    ("read", ("EventFD", "eventfd", "OnePageDriver")): "EAGAIN EINTR",
}
# A signal may come a few times; a call that every time is interrupted is of no kernel's.
PASSING = {"EINTR": 3}

# Calls that the manual gives no such error.
NO_ERROR = {
    "brk": "asked by the allocator, which asks mmap where it is refused",
    "getrandom": "a seed for hashing, of the C library or of the Swift runtime, which ends the process without one",
    "arch_prctl": "sets this thread's own registers",
    "clock_gettime": "the clocks that are asked for are always there",
    "exit": "does not come back",
    "exit_group": "does not come back",
    "getegid": "always succeeds",
    "geteuid": "always succeeds",
    "getgid": "always succeeds",
    "getpid": "always succeeds",
    "getrusage": "its arguments are right",
    "gettid": "always succeeds",
    "getuid": "always succeeds",
    "rseq": "asked by the C library for itself",
    "rt_sigaction": "EINVAL and EFAULT only: its arguments are right",
    "rt_sigprocmask": "EINVAL and EFAULT only: its arguments are right",
    "rt_sigreturn": "does not come back",
    "sched_yield": "always succeeds",
    "set_robust_list": "asked by the C library for itself",
    "sigaltstack": "asked by the Swift runtime for its crash reports",
    "tgkill": "a signal to this process itself",
}

# What a library does between the program and the kernel, where no code of ours gets to hear of the answer.
UNANSWERABLE = (
    ("malloc", None, "the allocator: a Swift program that gets no memory is ended by its runtime"),
    ("calloc", None, "the allocator"),
    ("realloc", None, "the allocator"),
    ("free", None, "the allocator"),
    ("posix_memalign", None, "the allocator"),
    ("swift_slowAlloc", None, "the allocator"),
    ("swift_slowDealloc", None, "the allocator"),
    ("swift_getTypeByMangledNameInContext", None, "the runtime's tables of types"),
    (None, "futex", "a wake that the kernel refuses is a wait without end in any C library; it refuses none"),
)


def reason_to_skip(site):
    """Why no error is injected at the site, or None."""
    if site.call in NO_ERROR:
        return NO_ERROR[site.call]
    for function, call, reason in UNANSWERABLE:
        if (function is None or function in site.through) and (call is None or call == site.call):
            return reason
    if site.call not in ERRORS:
        return "not in the table of errors: add it to scripts/test-faults.d/calls.py"
    return None


def errors(site):
    """(name, number) of each error that is injected at the site."""
    names = ERRORS[site.call]
    for (call, functions), fewer in ERRORS_OF_KIND.items():
        if call == site.call and any(function in symbol for symbol in site.symbols[:1] for function in functions):
            names = fewer
    return [(name, getattr(errno, name)) for name in names.split()]
