// The baseline: both sides of a split ring in C, every field in a local while a batch runs, with the same checks,
// the same atomics, the same look-up of addresses and the same list of segments as the Swift queues.

#include "CRing.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

enum { NEXT = 1, WRITE = 2, INDIRECT = 4, SEGMENTS = 64 };

struct entry {
    uint64_t first, last, host;
    uint8_t access;
};

struct table {
    struct entry entries[6];
    size_t count, last_hit;
};

struct device {
    unsigned char *descriptors, *avail, *used;
    uint16_t mask, next, limit, completed, published;
    bool signalled;
    struct table table;
    struct iovec segments[SEGMENTS];
};

struct slot {
    uint32_t token, writable;
    uint16_t next, last, count;
};

struct driver {
    unsigned char *descriptors, *avail, *used;
    uint16_t mask, free_head, added, published, next, limit;
    uint32_t free;
    struct slot *slots;
};

uint64_t ring_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint16_t load16(const unsigned char *at)
{
    return atomic_load_explicit((const _Atomic uint16_t *)at, memory_order_relaxed);
}
static inline uint32_t load32(const unsigned char *at)
{
    return atomic_load_explicit((const _Atomic uint32_t *)at, memory_order_relaxed);
}
static inline uint64_t load64(const unsigned char *at)
{
    return atomic_load_explicit((const _Atomic uint64_t *)at, memory_order_relaxed);
}
static inline void store16(unsigned char *at, uint16_t value)
{
    atomic_store_explicit((_Atomic uint16_t *)at, value, memory_order_relaxed);
}
static inline void store32(unsigned char *at, uint32_t value)
{
    atomic_store_explicit((_Atomic uint32_t *)at, value, memory_order_relaxed);
}
static inline void store64(unsigned char *at, uint64_t value)
{
    atomic_store_explicit((_Atomic uint64_t *)at, value, memory_order_relaxed);
}

static inline const struct entry *look_up(const struct table *table, size_t *last_hit, uint64_t address)
{
    const struct entry *entry = &table->entries[*last_hit];
    if (entry->first <= address && address <= entry->last)
        return entry;
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        entry = &table->entries[middle];
        if (entry->last < address) {
            low = middle + 1;
        } else if (address < entry->first) {
            high = middle;
        } else {
            *last_hit = middle;
            return entry;
        }
    }
    return NULL;
}

/// Takes all that is available, copies the payloads, returns the chains, publishes once. -1 on an error.
__attribute__((noinline)) static int device_batch(struct device *device, unsigned char *sink)
{
    unsigned char *const descriptors = device->descriptors, *const avail = device->avail, *const used = device->used;
    const uint16_t mask = device->mask;
    uint16_t next = device->next, limit = device->limit, completed = device->completed;
    const uint16_t published = device->published;
    size_t last_hit = device->table.last_hit;
    struct iovec *const segments = device->segments;
    int chains = 0;
    for (;;) {
        if (next == limit) {
            uint16_t index = atomic_load_explicit((_Atomic uint16_t *)(avail + 2), memory_order_acquire);
            uint16_t fresh = index - next;
            if (fresh == 0)
                break;
            if ((uint32_t)fresh + (uint16_t)(next - published) > (uint32_t)mask + 1)
                return -1;
            limit = index;
        }
        const uint16_t head = load16(avail + 4 + 2 * (size_t)(next & mask));
        if (head > mask)
            return -1;
        next++;
        size_t count = 0, readable_count = 0;
        uint32_t total = 0, readable_bytes = 0;
        bool writable = false;
        uint16_t index = head, left = mask;
        for (;;) {
            uint64_t address = load64(descriptors + 16 * (size_t)index);
            uint64_t rest = load64(descriptors + 16 * (size_t)index + 8);
            uint16_t flags = (uint16_t)(rest >> 32);
            uint32_t bytes = (uint32_t)rest;
            if (flags & INDIRECT)
                return -1;
            if (bytes == 0)
                return -1;
            bool writes = flags & WRITE;
            if (writes != writable) {
                if (!writes)
                    return -1;
                writable = true;
                readable_count = count;
                readable_bytes = total;
            }
            if (__builtin_add_overflow(total, bytes, &total))
                return -1;
            const uint8_t access = writes ? 2 : 1;
            for (;;) {
                const struct entry *entry = look_up(&device->table, &last_hit, address);
                if (!entry || (entry->access & access) != access)
                    return -1;
                uint64_t remaining = entry->last - address;
                uint32_t part = remaining >= bytes ? bytes : (uint32_t)remaining + 1;
                uint64_t host = entry->host + (address - entry->first);
                if (host == 0 || count == SEGMENTS)
                    return -1;
                segments[count].iov_base = (void *)(uintptr_t)host;
                segments[count].iov_len = part;
                count++;
                if (part == bytes)
                    break;
                bytes -= part;
                if (__builtin_add_overflow(address, part, &address))
                    return -1;
            }
            if (!(flags & NEXT))
                break;
            index = (uint16_t)(rest >> 48);
            if (left-- == 0 || index > mask)
                return -1;
        }
        if (!writable) {
            readable_count = count;
            readable_bytes = total;
        }
        for (size_t segment = 0; segment < readable_count; segment++)
            memcpy(sink, segments[segment].iov_base, segments[segment].iov_len);
        unsigned char *element = used + 4 + 8 * (size_t)(completed & mask);
        store32(element, head);
        store32(element + 4, total - readable_bytes);
        completed++;
        chains++;
    }
    device->next = next;
    device->limit = limit;
    device->completed = completed;
    device->table.last_hit = last_hit;
    if (completed != published) {
        atomic_store_explicit((_Atomic uint16_t *)(used + 2), completed, memory_order_release);
        atomic_thread_fence(memory_order_seq_cst);
        uint16_t event = load16(avail + 4 + 2 * ((size_t)mask + 1));
        if (!device->signalled || (uint16_t)(completed - event - 1) < (uint16_t)(completed - published))
            device->signalled = true;
        device->published = completed;
    }
    return chains;
}

/// Lends every free descriptor as a chain of its own and publishes once.
__attribute__((noinline)) static void driver_fill(
    struct driver *driver, const struct ring_arena *arena, uint32_t payload, uint32_t number)
{
    unsigned char *const descriptors = driver->descriptors, *const avail = driver->avail;
    struct slot *const slots = driver->slots;
    const uint16_t mask = driver->mask;
    uint16_t free_head = driver->free_head, added = driver->added;
    uint32_t free = driver->free;
    unsigned char *const buffers = arena->buffers;
    const uint64_t address = arena->buffers_iova;
    const size_t stride = arena->stride;
    uint32_t token = 0;
    while (free) {
        const size_t offset = stride * token;
        uint32_t numbered = number + token;
        memcpy(buffers + offset, &numbered, sizeof numbered);
        const uint16_t head = free_head;
        store64(descriptors + 16 * (size_t)head, address + offset);
        store64(descriptors + 16 * (size_t)head + 8, payload);
        free_head = slots[head].next;
        free--;
        slots[head].token = token;
        slots[head].writable = 0;
        slots[head].last = head;
        slots[head].count = 1;
        store16(avail + 4 + 2 * (size_t)(added & mask), head);
        added++;
        token++;
    }
    driver->free_head = free_head;
    driver->free = free;
    driver->added = added;
    if (added != driver->published) {
        atomic_store_explicit((_Atomic uint16_t *)(avail + 2), added, memory_order_release);
        driver->published = added;
        atomic_thread_fence(memory_order_seq_cst);
        (void)load16(driver->used + 4 + 8 * ((size_t)mask + 1));
    }
}

/// Takes back all that was returned; gives a sum over it, or -1 on an error.
__attribute__((noinline)) static int64_t driver_reap(struct driver *driver)
{
    const unsigned char *const used = driver->used;
    struct slot *const slots = driver->slots;
    const uint16_t mask = driver->mask;
    uint16_t free_head = driver->free_head, next = driver->next, limit = driver->limit;
    uint32_t free = driver->free;
    int64_t sum = 0;
    for (;;) {
        if (next == limit) {
            uint16_t index = atomic_load_explicit((_Atomic uint16_t *)(used + 2), memory_order_acquire);
            if (index == next)
                break;
            if ((uint16_t)(index - next) > (uint16_t)(driver->published - next))
                return -1;
            limit = index;
        }
        const unsigned char *element = used + 4 + 8 * (size_t)(next & mask);
        uint32_t id = load32(element), bytes = load32(element + 4);
        if (id > mask || slots[id].count == 0 || bytes > slots[id].writable)
            return -1;
        free += slots[id].count;
        slots[id].count = 0;
        slots[slots[id].last].next = free_head;
        free_head = (uint16_t)id;
        next++;
        sum += slots[id].token + bytes;
    }
    driver->free_head = free_head;
    driver->free = free;
    driver->next = next;
    driver->limit = limit;
    return sum;
}

struct ring_times ring_run_c(const struct ring_arena *arena, uint32_t payload, uint32_t rounds)
{
    struct ring_times times = {0};
    struct device device = {
        .descriptors = arena->ring,
        .avail = arena->ring + arena->avail_offset,
        .used = arena->ring + arena->used_offset,
        .mask = arena->size - 1,
    };
    struct table *table = &device.table;
    table->entries[table->count++] = (struct entry){
        arena->ring_iova, arena->ring_iova + arena->ring_bytes - 1, (uintptr_t)arena->ring, 3};
    table->entries[table->count++] = (struct entry){
        arena->buffers_iova, arena->buffers_iova + arena->buffer_bytes - 1, (uintptr_t)arena->buffers, 3};
    struct driver driver = {
        .descriptors = device.descriptors,
        .avail = device.avail,
        .used = device.used,
        .mask = device.mask,
        .free = arena->size,
        .slots = calloc(arena->size, sizeof(struct slot)),
    };
    for (uint16_t slot = 0; slot < arena->size; slot++)
        driver.slots[slot].next = (slot + 1) & device.mask;
    memset(arena->ring, 0, arena->ring_bytes);
    for (uint32_t round = 0; round < rounds; round++) {
        uint64_t start = ring_now();
        driver_fill(&driver, arena, payload, round);
        uint64_t filled = ring_now();
        int chains = device_batch(&device, arena->sink);
        uint64_t served = ring_now();
        int64_t sum = driver_reap(&driver);
        uint64_t end = ring_now();
        if (chains < 0 || sum < 0)
            abort();
        times.driver_ns += filled - start + end - served;
        times.device_ns += served - filled;
        times.chains += (uint64_t)chains;
        times.checksum += (uint64_t)sum;
    }
    free(driver.slots);
    return times;
}
