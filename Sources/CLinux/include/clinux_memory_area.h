// One virtual memory area of a process, asked for by address: PROCMAP_QUERY on an open /proc/PID/maps
// (linux/fs.h, Documentation/filesystems/proc.rst, Linux 6.11). Written down here since older headers lack it.
#pragma once
#include <errno.h>
#include <stdint.h>
#include <sys/ioctl.h>

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
