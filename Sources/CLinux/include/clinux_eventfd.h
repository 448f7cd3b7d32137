// eventfd(2), which Glibc's Swift module does not export. Every function returns -errno on failure.
// ABI: include/uapi/linux/eventfd.h, fs/eventfd.c.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

// A non-blocking, close-on-exec eventfd whose counter starts at `initial`.
static inline int clinux_eventfd(unsigned initial)
{
    int fd = eventfd(initial, EFD_NONBLOCK | EFD_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

enum {
    clinux_eventfd_attempts = 4, // a lost signal is a queue that hangs: a refusal is not believed at once
    clinux_eventfd_interruptions = 16,
};

// Adds one; -EAGAIN where the counter is saturated.
static inline int clinux_eventfd_add(int fd)
{
    const uint64_t one = 1;
    for (int attempt = 1;; attempt++) {
        if (write(fd, &one, sizeof one) == (ssize_t)sizeof one)
            return 0;
        if (attempt >= (errno == EINTR ? clinux_eventfd_interruptions : clinux_eventfd_attempts))
            return -errno;
    }
}

// The same, where a saturated counter is success: it is signalled already.
static inline int clinux_eventfd_signal(int fd)
{
    int result = clinux_eventfd_add(fd);
    return result == -EAGAIN ? 0 : result;
}

// Takes the whole counter into `count`; zero when nobody has signalled.
static inline int clinux_eventfd_drain(int fd, uint64_t *count)
{
    for (int attempt = 1;; attempt++) {
        if (read(fd, count, sizeof *count) == (ssize_t)sizeof *count)
            return 0;
        if (errno == EAGAIN) {
            *count = 0;
            return 0;
        }
        if (errno != EINTR || attempt >= clinux_eventfd_interruptions)
            return -errno;
    }
}

// A second descriptor for the same open file, close-on-exec, which dup(2) is not.
static inline int clinux_duplicate(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    return copy < 0 ? -errno : copy;
}
