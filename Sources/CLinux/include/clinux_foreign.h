// Another process's descriptors, limits and files, as far as this process may trace it. -errno on failure.
#pragma once
#include <fcntl.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

// prlimit is not declared without _GNU_SOURCE.
struct clinux_limits {
    uint64_t soft, hard;
};

// The number of the process that has the thread `thread`, or -errno.
static inline int clinux_leader(int thread) {
    char path[40], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", thread);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return -errno;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    text[count < 0 ? 0 : count] = 0;
    const char *line = strstr(text, "\nTgid:");
    return line ? (int)strtol(line + 6, 0, 10) : -ESRCH;
}

// A pidfd of the thread `thread`; where the kernel has none of threads (PIDFD_THREAD, Linux 6.9), of its process.
static inline int clinux_pidfd(int thread) {
    long made = syscall(SYS_pidfd_open, thread, 0200U /* PIDFD_THREAD */);
    if (made >= 0 || errno != EINVAL) return made < 0 ? -errno : (int)made;
    int leader = clinux_leader(thread);
    if (leader < 0) return leader;
    made = syscall(SYS_pidfd_open, leader, 0U);
    return made < 0 ? -errno : (int)made;
}

// A duplicate of that process's descriptor `number`, closed on exec.
static inline int clinux_duplicate_of(int thread, int number) {
    int process = clinux_pidfd(thread);
    if (process < 0) return process;
    long made = syscall(SYS_pidfd_getfd, process, number, 0U);
    int error = errno;
    close(process);
    return made < 0 ? -error : (int)made;
}

// The soft RLIMIT_MEMLOCK of the process that has the thread `thread`, 0 for this one; no limit is UINT64_MAX.
static inline int clinux_foreign_memlock_limit(int thread, uint64_t *bytes) {
    struct clinux_limits limits;
    if (syscall(SYS_prlimit64, thread, 8 /* RLIMIT_MEMLOCK */, (void *)0, &limits) < 0) return -errno;
    *bytes = limits.soft;
    return 0;
}

// Whether what was found is the regular file with this number on this device, which has major and minor as /proc/PID/maps has
// them, 20 bits of a minor; UINT64_MAX is any device.
static inline int clinux_has_found(const struct stat *found, uint64_t device, uint64_t inode) {
    return S_ISREG(found->st_mode) && found->st_ino == inode &&
           (device == UINT64_MAX ||
            device == ((uint64_t)major(found->st_dev) << 32 | minor(found->st_dev)));
}

// Whether `path` leads to that file.
static inline int clinux_is_regular(const char *path, uint64_t device, uint64_t inode) {
    struct stat found;
    if (stat(path, &found) < 0) return -errno;
    return clinux_has_found(&found, device, inode);
}

// The same of what is open as `file`.
static inline int clinux_is_regular_file(int file, uint64_t device, uint64_t inode) {
    struct stat found;
    if (fstat(file, &found) < 0) return -errno;
    return clinux_has_found(&found, device, inode);
}

// Whether `file` is open for reading, and for writing where that is wanted.
static inline int clinux_permits(int file, int is_writable) {
    int flags = fcntl(file, F_GETFL);
    if (flags < 0 || flags & 010000000 /* O_PATH */) return 0;
    return (flags & O_ACCMODE) == O_RDWR || (!is_writable && (flags & O_ACCMODE) == O_RDONLY);
}

// Whether two threads have one address space (kcmp(2)): 1 or 0.
static inline int clinux_same_memory(int one, int other) {
    long answer = syscall(SYS_kcmp, one, other, 1 /* KCMP_VM */, 0UL, 0UL);
    return answer < 0 ? -errno : answer == 0;
}

// Whether the address space that `memory`, a /proc/PID/mem, was opened for is gone: 1 or 0.
static inline int clinux_memory_is_gone(int memory) {
    char byte;
    return pread(memory, &byte, 1, 0) == 0;
}

// Sleeps.
static inline void clinux_pause(int milliseconds) { poll(0, 0, milliseconds); }

// Lets another thread run.
static inline void clinux_yield(void) { syscall(SYS_sched_yield); }

// Whether `path` is a symbolic link: 1 or 0.
static inline int clinux_is_link(const char *path) {
    struct stat found;
    return lstat(path, &found) == 0 && S_ISLNK(found.st_mode);
}

// What stat(2) and statx(2) answer for a character device of this number: as for /dev/full, but for the number.
static inline int clinux_device_stat(unsigned device_major, unsigned device_minor, struct stat *answer) {
    if (stat("/dev/full", answer) < 0) return -errno;
    answer->st_rdev = makedev(device_major, device_minor);
    answer->st_ino += 1000000 + device_minor;
    return 0;
}

// struct statx, 256 bytes, of which the words of the number are at 0x80.
static inline int clinux_device_statx(
    unsigned device_major, unsigned device_minor, unsigned mask, uint8_t answer[256]) {
    if (syscall(SYS_statx, AT_FDCWD, "/dev/full", 0, mask, answer) < 0) return -errno;
    const uint32_t number[2] = {device_major, device_minor};
    memcpy(answer + 0x80, number, sizeof number);
    uint64_t inode;
    memcpy(&inode, answer + 0x20, sizeof inode);
    inode += 1000000 + device_minor;
    memcpy(answer + 0x20, &inode, sizeof inode);
    return 0;
}
