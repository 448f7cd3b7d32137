// Mappings of files whose length somebody else decides: a page of one may vanish at any moment, and an access to it is
// then a SIGBUS. The handler puts an empty page there and has the access go on.
#pragma once
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

// Watches `bytes` from `start` on, mapped in pages of `page` bytes. Whenever a page of them is replaced, `vanished` counts
// one, where it is not null; it must outlive the watch. Returns the watch's number, or -ENOSPC where there are too many.
// Any thread.
int clinux_watch_window(uint64_t start, uint64_t bytes, uint64_t page, uint64_t *vanished);

// Ends a watch, before its pages are unmapped.
void clinux_forget_window(int number);

// The pages that a counter has counted.
static inline uint64_t clinux_vanished_pages(const uint64_t *vanished) {
    return __atomic_load_n(vanished, __ATOMIC_RELAXED);
}

// Has SIGBUS handled from now on, once for the process; what is in no watched window is the earlier handler's. 0 or -errno.
int clinux_handle_vanished_pages(void);

// Makes the pages of a mapping present, for writing or for reading, as a pin does. Linux 5.14. -EFAULT where the file has
// no such page, or no room for it, or -ENOMEM.
static inline int clinux_populate(uint64_t start, uint64_t bytes, int is_writable) {
    const int advice = is_writable ? 23 /* MADV_POPULATE_WRITE */ : 22 /* MADV_POPULATE_READ */;
    int result;
    do result = madvise((void *)start, bytes, advice);
    while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}
