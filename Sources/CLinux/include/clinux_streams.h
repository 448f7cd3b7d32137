// Standard input, output and error as a process may find them: closed, or the end of a pipe that nobody reads.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <time.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

// Takes descriptors 0, 1 and 2 where they are closed, so that no file opened later becomes one of them. What it puts
// there is opened the wrong way round, so that a read or write still fails with EBADF, as it did (gnulib's stdopen).
// 0, or -errno where not even "/" can be opened.
static inline int clinux_open_closed_streams(void) {
    for (int stream = 0; stream <= 2; stream++) {
        if (fcntl(stream, F_GETFD) >= 0) continue;
        int file = open("/dev/null", stream == 0 ? O_WRONLY : O_RDONLY);
        if (file < 0) file = open("/", O_RDONLY | O_DIRECTORY);
        if (file < 0) return -errno;
        // open takes the lowest free descriptor, and the lower ones are taken.
        if (file != stream) return close(file), -EBADF;
    }
    return 0;
}

// Lets writes answer EPIPE and EFBIG instead of ending the process (pipe(7), setrlimit(2)).
static inline void clinux_ignore_write_signals(void) {
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
}

// Whether whoever started the process has it ignore `number`, as nohup(1) does with SIGHUP.
static inline int clinux_is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, 0, &action) == 0 && action.sa_handler == SIG_IGN;
}

// Has SIGQUIT end the process as it ends any other: Swift's runtime takes it for a crash where it prints backtraces, stops
// every thread for as long as it asks somebody what to do, and lets the process go on.
static inline void clinux_quit_as_usual(void) {
    if (!clinux_is_ignored(SIGQUIT)) signal(SIGQUIT, SIG_DFL);
}

// Takes one signal of `signals` and gives its number, or -1 after so many nanoseconds. struct timespec stays on this side:
// which module owns it for Swift depends on the order in which headers are read.
static inline int clinux_signal_await(const sigset_t *signals, int64_t nanoseconds) {
    const struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return sigtimedwait(signals, 0, &limit);
}

// Takes one signal of `signals` and gives its number, or -1 after so many nanoseconds; no end to the wait where those are
// negative. `is_kernels` says that the kernel itself has sent it, as for a terminal's keys and a limit.
static inline int clinux_signal_take(const sigset_t *signals, int64_t nanoseconds, int *is_kernels) {
    const struct timespec limit = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    siginfo_t information;
    int number = sigtimedwait(signals, &information, nanoseconds < 0 ? 0 : &limit);
    *is_kernels = number > 0 && information.si_code == 0x80 /* SI_KERNEL */;
    return number;
}

// Has this process do what it does at a SIGTSTP that nobody has blocked or taken: stop, unless nobody could have it go on
// (setpgid(2), orphaned process groups).
static inline void clinux_stop_as_usual(void) {
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    raise(SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &stop, 0);
    pthread_sigmask(SIG_BLOCK, &stop, 0);
}

// The columns of the terminal at `fd`, or 0 where it does not say (ioctl_tty(2)).
static inline int clinux_terminal_columns(int fd) {
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// Whether the terminal at `fd` is another process group's at the moment: this one runs in the background.
static inline int clinux_is_in_background(int fd) {
    pid_t group = tcgetpgrp(fd);
    return group >= 0 && group != getpgrp();
}
