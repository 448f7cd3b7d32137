// Memory of a process reached the way a kernel reaches a caller's: a bad address is an error, not a signal.
// process_vm_readv(2) and process_vm_writev(2), on our own process id or on another's, who must be one that this process
// may trace. Every function returns -errno on failure.
#pragma once
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// Copies `count` bytes from `address` of the process that has the thread `thread` to `destination`. Returns the number
// copied: fewer where the address space ends on the way.
static inline long clinux_foreign_memory_read(
    int thread, void *destination, unsigned long address, size_t count) {
    struct iovec local = {destination, count};
    struct iovec remote = {(void *)address, count};
    long copied = syscall(SYS_process_vm_readv, (long)thread, &local, 1UL, &remote, 1UL, 0UL);
    return copied < 0 ? -errno : copied;
}

// Copies `count` bytes from `source` to `address` of that process. Returns the number copied.
static inline long clinux_foreign_memory_write(
    int thread, unsigned long address, const void *source, size_t count) {
    struct iovec local = {(void *)source, count};
    struct iovec remote = {(void *)address, count};
    long copied = syscall(SYS_process_vm_writev, (long)thread, &local, 1UL, &remote, 1UL, 0UL);
    return copied < 0 ? -errno : copied;
}

// Makes `count` copies, 1024 at the most, between `here` and the same lengths at `there`, addresses of that process: to it
// where `is_write`. Returns the bytes copied: fewer where one of the copies fails.
static inline long clinux_foreign_copies(
    int thread, const struct iovec *here, const struct iovec *there, unsigned long count, int is_write) {
    const long number = is_write ? SYS_process_vm_writev : SYS_process_vm_readv;
    long copied = syscall(number, (long)thread, here, count, there, count, 0UL);
    return copied < 0 ? -errno : copied;
}

// The same on this process.
static inline long clinux_process_memory_read(void *destination, unsigned long address, size_t count) {
    return clinux_foreign_memory_read(getpid(), destination, address, count);
}

static inline long clinux_process_memory_write(unsigned long address, const void *source, size_t count) {
    return clinux_foreign_memory_write(getpid(), address, source, count);
}

// Adds one to an eventfd as the kernel's eventfd_signal does: a full counter is left as it is, never waited for.
static inline int clinux_process_memory_signal(int descriptor) {
    uint64_t one = 1;
    struct pollfd room = {descriptor, POLLOUT, 0};
    if (poll(&room, 1, 0) == 0) return 0;
    return write(descriptor, &one, sizeof one) == (ssize_t)sizeof one ? 0 : -errno;
}
