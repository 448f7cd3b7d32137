// Virtual memory areas of this process: asked for by address, with PROCMAP_QUERY on an open /proc/self/maps
// (linux/fs.h, Documentation/filesystems/proc.rst, Linux 6.11; older headers lack it), and mapped a second time.
#pragma once
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// struct procmap_query: 104 bytes.
struct clinux_memory_area {
    uint64_t size;
    uint64_t query_flags;
    uint64_t query_address;
    uint64_t start;
    uint64_t end;
    uint64_t flags;
    uint64_t page_size;
    uint64_t offset;
    uint64_t inode;
    uint32_t device_major;
    uint32_t device_minor;
    uint32_t name_size;
    uint32_t build_id_size;
    uint64_t name_address;
    uint64_t build_id_address;
};

static const uint64_t clinux_memory_area_readable = 0x1;  // PROCMAP_QUERY_VMA_READABLE
static const uint64_t clinux_memory_area_writable = 0x2;  // PROCMAP_QUERY_VMA_WRITABLE
static const uint64_t clinux_memory_area_shared = 0x8;    // PROCMAP_QUERY_VMA_SHARED

// Stores the area that holds `address`, or the next one above it, as the kernel's find_vma gives it. 0, -ENOENT
// where there is none, -ENOTTY where the kernel has no such request.
static inline int clinux_memory_area_from(int maps, uint64_t address, struct clinux_memory_area *area) {
    *area = (struct clinux_memory_area){
        .size = sizeof *area,
        .query_flags = 0x10 /* PROCMAP_QUERY_COVERING_OR_NEXT_VMA */,
        .query_address = address,
    };
    return ioctl(maps, _IOWR('f', 17, struct clinux_memory_area), area) < 0 ? -errno : 0;
}

// Maps the shared memory at `address` a second time (mremap(2), an old size of zero): the new mapping is of the same
// pages with the same rights, and outlives the first. Long ranges keep their place within a huge page. 0 or -errno;
// -EINVAL for private memory. Where the last step of a long range fails, reserved addresses may be lost, not memory.
static inline int clinux_map_again(uint64_t address, uint64_t bytes, uint64_t *again) {
    const uint64_t huge = 2UL << 20;
    const long may_move = 1, fixed = 2;  // MREMAP_MAYMOVE, MREMAP_FIXED, which need _GNU_SOURCE
    long made;
    if (bytes < huge) {
        made = syscall(SYS_mremap, address, 0UL, bytes, may_move, 0UL);
    } else {
        uint64_t span;
        if (__builtin_add_overflow(bytes, huge, &span)) return -ENOMEM;
        uint8_t *hold = (uint8_t *)mmap(0, span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (hold == MAP_FAILED) return -errno;
        uint8_t *start = hold + ((address - (uintptr_t)hold) & (huge - 1));
        if (start > hold) munmap(hold, (size_t)(start - hold));
        if (hold + span > start + bytes) munmap(start + bytes, (size_t)((hold + span) - (start + bytes)));
        made = syscall(SYS_mremap, address, 0UL, bytes, may_move | fixed, start);
    }
    if (made == -1) return -errno;
    *again = (uint64_t)made;
    return 0;
}

static inline int clinux_unmap_again(uint64_t address, uint64_t bytes) {
    return munmap((void *)address, bytes) < 0 ? -errno : 0;
}
