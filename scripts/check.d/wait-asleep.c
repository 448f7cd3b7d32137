// Lets a process that waits in io_uring run under valgrind.
//
// valgrind runs one thread at a time and gives the turn away only at system calls it knows to block; 3.19 does
// not count io_uring_enter among them, so a thread that waits there for another one waits for ever. Preloaded,
// this library asks the kernel for completions without waiting, and sleeps between two looks, where valgrind does
// give the turn away. (Waiting in poll(2) on the ring's file does not do: a ring with deferred task work is not
// readable before its owner has entered the kernel.) Only liburing's two waiting calls are replaced.
#define _GNU_SOURCE
#include <sys/types.h>

#include <errno.h>
#include <liburing.h>
#include <time.h>

static long long nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

// Submits, then waits until `count` completions are ready or `limit` nanoseconds are over; -1 waits for ever.
static int submit_and_wait(struct io_uring *ring, unsigned count, long long limit)
{
    const struct timespec pause = {.tv_nsec = 100000};
    long long end = nanoseconds_now() + limit;
    int submitted = 0;
    for (;;) {
        int answer = io_uring_submit_and_get_events(ring);
        if (answer < 0)
            return answer;
        submitted += answer;
        if (io_uring_cq_ready(ring) >= count)
            return submitted;
        if (limit >= 0 && nanoseconds_now() >= end)
            return -ETIME;
        nanosleep(&pause, NULL);
    }
}

int io_uring_submit_and_wait(struct io_uring *ring, unsigned count)
{
    return submit_and_wait(ring, count, -1);
}

int io_uring_submit_and_wait_timeout(
    struct io_uring *ring, struct io_uring_cqe **first, unsigned count, struct __kernel_timespec *limit,
    sigset_t *mask)
{
    (void)mask;
    int answer = submit_and_wait(ring, count, limit ? limit->tv_sec * 1000000000LL + limit->tv_nsec : -1);
    if (answer < 0)
        return answer;
    return io_uring_peek_cqe(ring, first) < 0 ? -ETIME : answer;
}
