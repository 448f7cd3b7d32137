// What both sides share: the rings in memory, the run, the eventfds.
#pragma once
#include "CLoopback.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <unistd.h>

enum {
    SIZE = 256, MASK = SIZE - 1, AVAIL = 16 * SIZE, USED = AVAIL + 576, EVENT = 4 + 2 * SIZE, USED_EVENT = 4 + 8 * SIZE,
    HEADER = 12, STRIDE = 2048, BUFFERS = 2 * SIZE + 64, RING_SPACE = 1 << 20, MAPS = 7, LEDGER = 1 << 18,
    NEXT = 1, WRITE = 2, INDIRECT = 4, PARTS = 64,
};
#define MEMORY_BYTES ((size_t)(2 * RING_SPACE + BUFFERS * STRIDE))
#define GUEST_ADDRESS ((uint64_t)0x4000000)
enum phase { RUNNING, DRAINING, ENDING };

static inline uint16_t load16(const unsigned char *at) { return atomic_load_explicit((const _Atomic uint16_t *)at, memory_order_relaxed); }
static inline uint16_t acquire16(const unsigned char *at) { return atomic_load_explicit((const _Atomic uint16_t *)at, memory_order_acquire); }
static inline uint32_t load32(const unsigned char *at) { return atomic_load_explicit((const _Atomic uint32_t *)at, memory_order_relaxed); }
static inline uint64_t load64(const unsigned char *at) { return atomic_load_explicit((const _Atomic uint64_t *)at, memory_order_relaxed); }
static inline void store16(unsigned char *at, uint16_t v) { atomic_store_explicit((_Atomic uint16_t *)at, v, memory_order_relaxed); }
static inline void release16(unsigned char *at, uint16_t v) { atomic_store_explicit((_Atomic uint16_t *)at, v, memory_order_release); }
static inline void store32(unsigned char *at, uint32_t v) { atomic_store_explicit((_Atomic uint32_t *)at, v, memory_order_relaxed); }
static inline void store64(unsigned char *at, uint64_t v) { atomic_store_explicit((_Atomic uint64_t *)at, v, memory_order_relaxed); }
static inline void fence(void) { atomic_thread_fence(memory_order_seq_cst); }
static inline bool wants(uint16_t event, uint16_t new, uint16_t old) { return (uint16_t)(new - event - 1) < (uint16_t)(new - old); }

static inline uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
static inline void wake(int fd) { (void)!write(fd, &(uint64_t){1}, 8); }
static inline void rest(int fd) { (void)!read(fd, &(uint64_t){0}, 8); }

struct slot {
    uint32_t token, writable;
    uint16_t next, count;
};

struct driver {
    unsigned char *ring;
    uint16_t free_head, added, published, next, limit, free;
    struct slot slots[SIZE];
};

struct run {
    struct loopback_plan plan;
    unsigned char *memory;
    int kick, call;
    _Atomic int phase;
    _Atomic bool guest_done, broken;
    struct loopback_result result;
    // The guest's own.
    _Alignas(128) struct driver receive, transmit;
    uint32_t pool[BUFFERS], pool_count, run_number;
    uint64_t sent, received, duplicated, corrupted, window_start, *returned;
};

void *loopback_guest(void *run);
void *loopback_device(void *run);
