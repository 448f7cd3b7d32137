// Guest RAM: memfd, seals, mappings and residency, as calls that return -errno. Glibc's Swift module hides
// memfd_create and the seal commands behind _GNU_SOURCE, and MAP_FAILED is a cast that does not import.
// ABI: memfd_create(2), fcntl(2) "File Sealing", madvise(2), mincore(2).
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

static const unsigned int clinux_mfd_cloexec = 0x0001U;        // MFD_CLOEXEC
static const unsigned int clinux_mfd_allow_sealing = 0x0002U;  // MFD_ALLOW_SEALING
static const unsigned int clinux_mfd_hugetlb_2m = 0x0004U | (21U << 26);  // MFD_HUGETLB | MFD_HUGE_2MB

static const int clinux_seal_seal = 0x0001;    // F_SEAL_SEAL
static const int clinux_seal_shrink = 0x0002;  // F_SEAL_SHRINK
static const int clinux_seal_grow = 0x0004;    // F_SEAL_GROW

static inline int clinux_memfd_create(const char *name, unsigned int flags) {
    long fd = syscall(SYS_memfd_create, name, flags);
    return fd < 0 ? -errno : (int)fd;
}

static inline int clinux_set_file_size(int fd, uint64_t bytes) {
    if (bytes > INT64_MAX) return -EFBIG;
    return ftruncate(fd, (off_t)bytes) < 0 ? -errno : 0;
}

static inline int clinux_add_seals(int fd, int seals) {
    return fcntl(fd, 1033 /* F_ADD_SEALS */, seals) < 0 ? -errno : 0;
}

// The seals of `fd`, or -errno.
static inline int clinux_get_seals(int fd) {
    int seals = fcntl(fd, 1034 /* F_GET_SEALS */);
    return seals < 0 ? -errno : seals;
}

// Maps the first `bytes` of `fd` shared and writable at a multiple of `alignment` (a power of two, at least a
// page). `reserve` is zero for sparse memory, and not for hugetlb pages: there the reservation is what makes
// mmap fail now rather than a later access die.
static inline int clinux_map_shared(int fd, uint64_t bytes, uint64_t alignment, int reserve, void **address) {
    uint64_t span;
    if (__builtin_add_overflow(bytes, alignment, &span)) return -ENOMEM;
    uint8_t *hold = (uint8_t *)mmap(0, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (hold == MAP_FAILED) return -errno;
    uint8_t *start = (uint8_t *)(((uintptr_t)hold + alignment - 1) & ~(uintptr_t)(alignment - 1));
    int flags = MAP_SHARED | MAP_FIXED | (reserve ? 0 : MAP_NORESERVE);
    if (mmap(start, bytes, PROT_READ | PROT_WRITE, flags, fd, 0) == MAP_FAILED) {
        int error = errno;
        munmap(hold, span);
        return -error;
    }
    if (start > hold) munmap(hold, (size_t)(start - hold));
    if (hold + span > start + bytes) munmap(start + bytes, (size_t)((hold + span) - (start + bytes)));
    *address = start;
    return 0;
}

static inline int clinux_unmap(void *address, uint64_t bytes) { return munmap(address, bytes) < 0 ? -errno : 0; }

static inline int clinux_advise_huge_pages(void *address, uint64_t bytes) {
    return madvise(address, bytes, 14 /* MADV_HUGEPAGE */) < 0 ? -errno : 0;
}

// Makes the pages present and writable without changing what they hold. Linux 5.14.
static inline int clinux_populate_write(void *address, uint64_t bytes) {
    return madvise(address, bytes, 23 /* MADV_POPULATE_WRITE */) < 0 ? -errno : 0;
}

// Bit 0 of `pages[i]` says whether page i is resident.
static inline int clinux_mincore(void *address, uint64_t bytes, unsigned char *pages) {
    return mincore(address, bytes, pages) < 0 ? -errno : 0;
}

// The bytes the file behind `fd` holds in memory or swap, or -errno.
static inline int64_t clinux_allocated_bytes(int fd) {
    struct stat status;
    if (fstat(fd, &status) < 0) return -errno;
    return (int64_t)status.st_blocks * 512;
}

static inline uint64_t clinux_page_size(void) { return (uint64_t)sysconf(_SC_PAGESIZE); }

// All the memory of the machine in bytes, or 0 where the kernel does not say (sysinfo(2)). glibc's sysconf takes what it never
// got for an answer where the call is refused.
static inline uint64_t clinux_installed_memory(void) {
    struct sysinfo information;
    if (sysinfo(&information) != 0) return 0;
    return (uint64_t)information.totalram * information.mem_unit;
}

static inline int clinux_online_processors(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : (int)count;
}

// A soft limit in bytes; UINT64_MAX where there is none or it cannot be read (getrlimit(2)).
static inline uint64_t clinux_soft_limit(int resource) {
    struct rlimit limit;
    if (getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
    return limit.rlim_cur;
}

// The most descriptors, as far as it is known.
static inline uint64_t clinux_descriptor_limit(void) { return clinux_soft_limit(RLIMIT_NOFILE); }

// Those of locked memory, of the address space, and of the data in it.
static inline uint64_t clinux_memlock_limit(void) { return clinux_soft_limit(RLIMIT_MEMLOCK); }
static inline uint64_t clinux_address_space_limit(void) { return clinux_soft_limit(RLIMIT_AS); }
static inline uint64_t clinux_data_limit(void) { return clinux_soft_limit(RLIMIT_DATA); }

// The processors that the calling thread may run on, the lowest bit of the first word for processor 0
// (sched_getaffinity(2)). Returns how many words were written, or -errno.
static inline long clinux_allowed_processors(uint64_t *words, size_t count) {
    long bytes = syscall(SYS_sched_getaffinity, 0, count * sizeof *words, words);
    return bytes < 0 ? -errno : bytes / (long)sizeof *words;
}
