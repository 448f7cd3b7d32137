// Thread identity and placement, which Glibc hides from Swift without _GNU_SOURCE. Every function is about the
// calling thread and returns -errno on failure. ABI: sched_setaffinity(2), gettid(2), prctl(2).
#pragma once
#include <errno.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { clinux_max_cpus = 1024 };

static inline int clinux_thread_id(void)
{
    return (int)syscall(SYS_gettid);
}

// At most 15 bytes are kept, as the kernel's TASK_COMM_LEN says.
static inline int clinux_thread_set_name(const char *name)
{
    return prctl(PR_SET_NAME, name, 0, 0, 0) < 0 ? -errno : 0;
}

// Confines the calling thread to one CPU, numbered as in /proc/cpuinfo.
static inline int clinux_thread_pin(int cpu)
{
    uint64_t mask[clinux_max_cpus / 64] = {0};
    if (cpu < 0 || cpu >= clinux_max_cpus)
        return -EINVAL;
    mask[cpu / 64] = UINT64_C(1) << (cpu % 64);
    return syscall(SYS_sched_setaffinity, 0, sizeof mask, mask) < 0 ? -errno : 0;
}

// The CPU of rank `rank` among those the calling thread may use, or -EINVAL when it may use fewer.
static inline int clinux_thread_allowed_cpu(int rank)
{
    uint64_t mask[clinux_max_cpus / 64] = {0};
    if (syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) < 0)
        return -errno;
    for (int cpu = 0; cpu < clinux_max_cpus; cpu++)
        if ((mask[cpu / 64] >> (cpu % 64) & 1) && rank-- == 0)
            return cpu;
    return -EINVAL;
}
