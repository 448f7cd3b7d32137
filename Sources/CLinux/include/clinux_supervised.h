// A program some of whose system calls another process answers: seccomp user notification (seccomp_unotify(2)).
//
// The program's part, from the fork to the exec, is C: nothing there may allocate, or touch what threads share. Functions
// return -errno on failure.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Declared by the C library for _GNU_SOURCE alone.
extern int execvpe(const char *file, char *const arguments[], char *const environment[]);

// The calls that are seen here, by their numbers.
static const int32_t clinux_call_read = SYS_read;
static const int32_t clinux_call_readv = SYS_readv;
static const int32_t clinux_call_pread = SYS_pread64;
static const int32_t clinux_call_write = SYS_write;
static const int32_t clinux_call_writev = SYS_writev;
static const int32_t clinux_call_pwrite = SYS_pwrite64;
static const int32_t clinux_call_close = SYS_close;
static const int32_t clinux_call_dup2 = SYS_dup2;
static const int32_t clinux_call_dup3 = SYS_dup3;
static const int32_t clinux_call_close_range = 436;  // SYS_close_range, Linux 5.9
static const int32_t clinux_call_mmap = SYS_mmap;
static const int32_t clinux_call_ioctl = SYS_ioctl;
static const int32_t clinux_call_open = SYS_open;
static const int32_t clinux_call_openat = SYS_openat;
static const int32_t clinux_call_openat2 = SYS_openat2;
static const int32_t clinux_call_stat = SYS_stat;
static const int32_t clinux_call_lstat = SYS_lstat;
static const int32_t clinux_call_fstat = SYS_fstat;
static const int32_t clinux_call_newfstatat = SYS_newfstatat;
static const int32_t clinux_call_statx = SYS_statx;
static const int32_t clinux_call_access = SYS_access;
static const int32_t clinux_call_faccessat = SYS_faccessat;
static const int32_t clinux_call_faccessat2 = SYS_faccessat2;

// Those of a 32-bit program, by the numbers of i386.
static const int32_t clinux_narrow_open = 5;
static const int32_t clinux_narrow_ioctl = 54;
static const int32_t clinux_narrow_openat = 295;

// Flags that the C library declares for _GNU_SOURCE alone.
static const int32_t clinux_open_path = 010000000;      // O_PATH
static const int32_t clinux_at_empty_path = 0x1000;     // AT_EMPTY_PATH

// One call that waits for its answer.
struct clinux_notification {
    uint64_t id;
    // The caller's thread, as this process numbers it.
    int32_t thread;
    int32_t call;
    // The call is numbered as i386 numbers them.
    int32_t is_narrow;
    uint64_t arguments[6];
};

// The numbers of descriptors that devices are given in the program: the filter knows them by that.
struct clinux_descriptor_range {
    uint32_t first, count;
};

// What is blocked and what is ignored, bit n - 1 for signal n.
struct clinux_signals {
    uint64_t blocked, ignored;
};

struct clinux_supervised {
    int process;
    int listener;
};

#define CLINUX_LOAD(offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define CLINUX_LOW_WORD(argument) (offsetof(struct seccomp_data, args) + 8 * (argument))
// Goes on with the `count` statements behind this one where the word is `value`, else behind them.
#define CLINUX_IF(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (count))
#define CLINUX_ANSWER(answer) BPF_STMT(BPF_RET | BPF_K, (answer))
#define CLINUX_NOTIFY CLINUX_ANSWER(SECCOMP_RET_USER_NOTIF)
#define CLINUX_ALLOW CLINUX_ANSWER(SECCOMP_RET_ALLOW)
// The call `number`, whatever it has: 2 statements.
#define CLINUX_CALL(number) CLINUX_IF((number), 1), CLINUX_NOTIFY
// Ours where the argument `argument` is a descriptor of the range, else the kernel's: 5 statements, of which the fourth
// is the one that notifies.
#define CLINUX_IF_DEVICE(argument, range)                                                          \
    CLINUX_LOAD(CLINUX_LOW_WORD(argument)), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (range).first, 0, 2), \
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, (range).first + (range).count, 1, 0), CLINUX_NOTIFY, CLINUX_ALLOW
// The call `number` on such a descriptor: 6 statements.
#define CLINUX_CALL_ON(number, argument, range) CLINUX_IF((number), 5), CLINUX_IF_DEVICE(argument, range)

// Installs the filter in this thread and returns its listener.
//
// Ours are: what opens a file or asks for what it is, as its path is not seen here; every ioctl of vhost's type, every write
// that is as long as an IOTLB message and every mmap that can only be a doorbell's, on whatever descriptor, as a device's
// may have been duplicated; and on descriptors of the range what else a device is asked. Of a 32-bit program, whose calls
// have other numbers, it is what opens a file and ioctls of vhost's type: to be told of, not to be answered.
static inline int clinux_install_filter(struct clinux_descriptor_range devices) {
    struct sock_filter statements[] = {
        CLINUX_LOAD(offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 11, 0),
        CLINUX_LOAD(offsetof(struct seccomp_data, nr)),
        CLINUX_CALL(clinux_narrow_open),
        CLINUX_CALL(clinux_narrow_openat),
        CLINUX_IF(clinux_narrow_ioctl, 4),
        CLINUX_LOAD(CLINUX_LOW_WORD(1)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
        CLINUX_CALL(0xaf00),
        CLINUX_ALLOW,
        CLINUX_LOAD(offsetof(struct seccomp_data, nr)),
        CLINUX_CALL_ON(SYS_read, 0, devices),
        CLINUX_CALL_ON(SYS_readv, 0, devices),
        CLINUX_CALL_ON(SYS_pread64, 0, devices),
        CLINUX_CALL_ON(SYS_close, 0, devices),
        CLINUX_CALL_ON(SYS_dup2, 1, devices),
        CLINUX_CALL_ON(SYS_dup3, 1, devices),
        // close_range: one that reaches the range.
        CLINUX_IF(clinux_call_close_range, 4),
        CLINUX_LOAD(CLINUX_LOW_WORD(1)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, devices.first, 0, 1),
        CLINUX_NOTIFY,
        CLINUX_ALLOW,
        // mmap: a file's page that is only written, or a descriptor of the range.
        CLINUX_IF(SYS_mmap, 10),
        CLINUX_LOAD(CLINUX_LOW_WORD(4)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x80000000, 7, 0),
        CLINUX_LOAD(CLINUX_LOW_WORD(2)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2 /* PROT_WRITE */, 3, 0),
        CLINUX_IF_DEVICE(4, devices),
        CLINUX_ALLOW,
        CLINUX_CALL(SYS_open),
        CLINUX_CALL(SYS_openat),
        CLINUX_CALL(SYS_openat2),
        CLINUX_CALL(SYS_stat),
        CLINUX_CALL(SYS_lstat),
        CLINUX_CALL(SYS_newfstatat),
        CLINUX_CALL(SYS_statx),
        CLINUX_CALL(SYS_access),
        CLINUX_CALL(SYS_faccessat),
        CLINUX_CALL(SYS_faccessat2),
        CLINUX_CALL_ON(SYS_fstat, 0, devices),
        CLINUX_CALL_ON(SYS_writev, 0, devices),
        CLINUX_CALL_ON(SYS_pwrite64, 0, devices),
        // write: 72 and 40 bytes, or a descriptor of the range.
        CLINUX_IF(SYS_write, 8),
        CLINUX_LOAD(CLINUX_LOW_WORD(2)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 72, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 40, 3, 0),
        CLINUX_IF_DEVICE(0, devices),
        // ioctl: a request of type 0xaf, or a descriptor of the range.
        CLINUX_IF(SYS_ioctl, 8),
        CLINUX_LOAD(CLINUX_LOW_WORD(1)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff00),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xaf00, 3, 0),
        CLINUX_IF_DEVICE(0, devices),
        CLINUX_ALLOW,
    };
    struct sock_fprog program = {sizeof statements / sizeof statements[0], statements};
    // A call that was taken is answered, whatever signal comes meanwhile: made a second time it would be another call
    // (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19). No mitigation is asked for that the program did not have.
    const unsigned long listens = SECCOMP_FILTER_FLAG_NEW_LISTENER | 1UL << 2 /* SPEC_ALLOW */, is_killable = 1UL << 5;
    long made = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listens | is_killable, &program);
    if (made < 0 && errno == EINVAL) made = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, listens, &program);
    return made < 0 ? -errno : (int)made;
}

// Sends the number `word` and, unless it is negative, the descriptor.
static inline int clinux_send_descriptor(int socket, int word, int descriptor) {
    struct iovec bytes = {&word, sizeof word};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &bytes, .msg_iovlen = 1};
    if (descriptor >= 0) {
        message.msg_control = control.room;
        message.msg_controllen = sizeof control.room;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    }
    return sendmsg(socket, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

// Receives what clinux_send_descriptor has sent: the number, and the descriptor, -1 for none. 1, or 0 where the other end
// was closed.
static inline int clinux_receive_descriptor(int socket, int *word, int *descriptor) {
    struct iovec bytes = {word, sizeof *word};
    union {
        char room[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control;
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
    *descriptor = -1;
    ssize_t count;
    do count = recvmsg(socket, &message, 0x40000000 /* MSG_CMSG_CLOEXEC */);
    while (count < 0 && errno == EINTR);
    if (count < 0) return -errno;
    if (count == 0) return 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS) memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return 1;
}

// Gives the program the signals that emu was started with, which has blocked and ignored some for itself.
static inline void clinux_restore_signals(struct clinux_signals signals) {
    for (int number = 1; number <= 64; number++) {
        if (signals.ignored >> (number - 1) & 1) {
            signal(number, SIG_IGN);
            continue;
        }
        struct sigaction action;
        if (sigaction(number, 0, &action) == 0 && action.sa_handler == SIG_IGN) signal(number, SIG_DFL);
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &signals.blocked, (void *)0, sizeof signals.blocked);
}

// The program's part: never returns. Says what failed, if something did, by its errno.
static inline void clinux_become_program(
    int socket, char *const arguments[], struct clinux_descriptor_range devices, struct clinux_signals signals,
    int supervisor) {
    int error = 0;
    // Whoever answers this program's calls is its parent: without it every one of them would be ENOSYS.
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) error = errno;
    if (!error && getppid() != supervisor) _exit(127);
    clinux_restore_signals(signals);
    if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) error = errno;
    int listener = error ? -error : clinux_install_filter(devices);
    if (listener < 0) {
        clinux_send_descriptor(socket, listener, -1);
        _exit(127);
    }
    // The listener is closed by the exec; a close of it here could be a call that waits for an answer.
    if (clinux_send_descriptor(socket, 0, listener) < 0) _exit(127);
    execvp(arguments[0], arguments);
    clinux_send_descriptor(socket, -errno, -1);
    _exit(127);
}

// Starts `arguments` with the filter. `socket` is where its exec's failure is read from: closed by a successful one.
static inline int clinux_start_supervised(
    char *const arguments[], struct clinux_descriptor_range devices, struct clinux_signals signals,
    struct clinux_supervised *started, int *socket) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    int supervisor = getpid(), error = 0;
    // Where it is ignored nobody is told how a child has ended (waitpid(2)).
    signal(SIGCHLD, SIG_DFL);
    // Who daemonizes stays a descendant: of another process nobody may read the memory (Yama's ptrace_scope).
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        clinux_become_program(ends[1], arguments, devices, signals, supervisor);
    }
    if (child < 0) error = -errno;
    close(ends[1]);
    int word = 0, listener = -1;
    if (!error) {
        int received = clinux_receive_descriptor(ends[0], &word, &listener);
        error = received < 0 ? received : received == 0 ? -ECHILD : word;
        if (!error && listener < 0) error = -ECHILD;
        if (error) waitpid(child, &word, 0);
    }
    if (error) {
        close(ends[0]);
        return error;
    }
    *started = (struct clinux_supervised){child, listener};
    *socket = ends[0];
    return 0;
}

// Takes the next call; blocks until there is one. -ENOENT where its caller has gone meanwhile.
static inline int clinux_receive_notification(int listener, struct clinux_notification *notification) {
    struct seccomp_notif received;
    memset(&received, 0, sizeof received);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &received) < 0) return -errno;
    notification->id = received.id;
    notification->thread = (int32_t)received.pid;
    notification->call = received.data.nr;
    notification->is_narrow = received.data.arch != AUDIT_ARCH_X86_64;
    for (int index = 0; index < 6; index++) notification->arguments[index] = received.data.args[index];
    return 0;
}

// Waits for a call, for the program's end or for `milliseconds`: 1 where there is a call, 2 where nobody is left who could
// make one, else 0.
static inline int clinux_await_notification(int listener, int milliseconds) {
    struct pollfd waited = {listener, POLLIN, 0};
    int count = poll(&waited, 1, milliseconds);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    if (waited.revents & POLLIN) return 1;
    return waited.revents & (POLLHUP | POLLERR) ? 2 : 0;
}

// Waits for whatever has ended. The status of `process` once it is among them: 1, or 0 while it runs.
static inline int clinux_reap(int process, int *status) {
    for (;;) {
        int any;
        pid_t ended = waitpid(-1, &any, WNOHANG);
        if (ended < 0) return -errno;
        if (ended == 0) return 0;
        if (ended != process) continue;
        *status = any;
        return 1;
    }
}

static inline int clinux_exited(int status) { return WIFEXITED(status); }
static inline int clinux_exit_code(int status) { return WEXITSTATUS(status); }
static inline int clinux_ending_signal(int status) { return WTERMSIG(status); }

// A placeholder for a device: /dev/full, which is a character device that takes no byte, with a lock on the byte `token`
// by which it is known. The lock goes with the last descriptor of it, whoever has that.
static inline int clinux_make_placeholder(uint64_t token, int *file) {
    int made = open("/dev/full", O_RDWR | O_CLOEXEC);
    if (made < 0) return -errno;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)token, .l_len = 1};
    if (fcntl(made, 37 /* F_OFD_SETLK */, &lock) < 0) {
        int error = errno;
        close(made);
        return -error;
    }
    *file = made;
    return 0;
}

// Whether somebody still has a descriptor of that placeholder. `probe` is a /dev/full of one's own.
static inline int clinux_placeholder_is_open(int probe, uint64_t token) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = (off_t)token, .l_len = 1};
    if (fcntl(probe, 36 /* F_OFD_GETLK */, &lock) < 0) return -errno;
    return lock.l_type != F_UNLCK;
}

// Whether the caller still waits for the answer: 0, or -ENOENT.
static inline int clinux_check_notification(int listener, uint64_t id) {
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) < 0 ? -errno : 0;
}

// Answers with `value`, or with the errno -`error`.
static inline int clinux_answer_notification(int listener, uint64_t id, int64_t value, int error) {
    struct seccomp_notif_resp answer = {.id = id, .val = error ? 0 : value, .error = error, .flags = 0};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 ? -errno : 0;
}

// Has the kernel make the call as it stands.
static inline int clinux_continue_notification(int listener, uint64_t id) {
    struct seccomp_notif_resp answer = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 ? -errno : 0;
}

// Answers with a descriptor of `file` in the caller, its number `wanted`, which must be free there. Both or neither: a
// caller that a signal has called away has no descriptor, and makes the call again.
static inline int clinux_answer_with_number(
    int listener, uint64_t id, int file, uint32_t wanted, int closes_on_exec) {
    struct seccomp_notif_addfd added = {
        .id = id, .flags = SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)file, .newfd = wanted,
        .newfd_flags = closes_on_exec ? O_CLOEXEC : 0};
    int made = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &added);
    return made < 0 ? -errno : made;
}

// Puts a descriptor of `file` in the place of the caller's `number`, which is closed by that; the call goes on waiting.
static inline int clinux_replace_descriptor(int listener, uint64_t id, int file, uint32_t number) {
    struct seccomp_notif_addfd added = {
        .id = id, .flags = SECCOMP_ADDFD_FLAG_SETFD, .srcfd = (uint32_t)file, .newfd = number, .newfd_flags = O_CLOEXEC};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &added) < 0 ? -errno : 0;
}

// Answers with a descriptor of `file` in the caller, the lowest that is free, which it returns.
static inline int clinux_answer_with_descriptor(int listener, uint64_t id, int file, int closes_on_exec) {
    struct seccomp_notif_addfd added = {
        .id = id, .flags = SECCOMP_ADDFD_FLAG_SEND, .srcfd = (uint32_t)file,
        .newfd_flags = closes_on_exec ? O_CLOEXEC : 0};
    int made = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &added);
    return made < 0 ? -errno : made;
}
