#pragma once
// liburing defines _XOPEN_SOURCE; sys/types.h first keeps fd_set as the Glibc module has it.
#include <sys/types.h>
#include <linux/io_uring.h>
#include <liburing.h>

// What Swift cannot import from liburing 2.3: the ring indices are shared with the kernel, so they need acquire loads
// that Swift has no spelling for on a plain C field.

// The oldest completion nobody has consumed, or NULL. Valid until io_uring_cq_advance passes it.
static inline const struct io_uring_cqe *ciouring_oldest_completion(const struct io_uring *ring)
{
    unsigned head = *ring->cq.khead; // Only this side writes it.
    if (head == __atomic_load_n(ring->cq.ktail, __ATOMIC_ACQUIRE))
        return NULL;
    return &ring->cq.cqes[head & ring->cq.ring_mask];
}

static inline unsigned ciouring_completions_ready(const struct io_uring *ring)
{
    return __atomic_load_n(ring->cq.ktail, __ATOMIC_ACQUIRE) - *ring->cq.khead;
}

// The kernel's flags for the application: IORING_SQ_TASKRUN, IORING_SQ_CQ_OVERFLOW.
static inline unsigned ciouring_flags(const struct io_uring *ring)
{
    return __atomic_load_n(ring->sq.kflags, __ATOMIC_RELAXED);
}

// Completions the kernel could not keep anywhere (it had no memory for its overflow list).
static inline unsigned ciouring_dropped_completions(const struct io_uring *ring)
{
    return __atomic_load_n(ring->cq.koverflow, __ATOMIC_RELAXED);
}

// liburing 2.3 declares io_uring_enable_rings and does not export it from its shared library.
static inline int ciouring_enable(const struct io_uring *ring)
{
    return io_uring_register(ring->ring_fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0);
}

// RWF_NOWAIT of <linux/fs.h>, a cast expression that Swift does not import.
static const unsigned int ciouring_rwf_nowait = 0x00000008;
