// The guest's thread: writes frames into the transmit ring, checks those of the receive ring.
#include "frames.h"

/// Shows the device what was added, and kicks it if it asks.
static inline void driver_publish(struct run *run, struct driver *driver)
{
    const uint16_t old = driver->published, new = driver->added;
    if (old == new)
        return;
    release16(driver->ring + AVAIL + 2, new);
    driver->published = new;
    fence();
    if (wants(load16(driver->ring + USED + USED_EVENT), new, old)) {
        run->result.kicks++;
        wake(run->kick);
    }
}

static inline void driver_refresh(struct run *run, const struct driver *driver, uint16_t next, uint16_t *limit)
{
    const uint16_t index = acquire16(driver->ring + USED + 2);
    if ((uint16_t)(index - next) <= (uint16_t)(driver->published - next))
        *limit = index;
    else
        run->broken = true;
}

/// Checks a batch of frames that came back and lends their buffers again. How many came.
__attribute__((noinline)) static uint32_t guest_receive(struct run *run)
{
    struct driver *const driver = &run->receive;
    unsigned char *const ring = driver->ring, *const buffers = run->memory + 2 * RING_SPACE;
    struct slot *const slots = driver->slots;
    uint32_t *const pool = run->pool, pool_count = run->pool_count, count = 0;
    uint64_t *const returned = run->returned, window_start = run->window_start, sent = run->sent;
    uint64_t received = run->received;
    const uint32_t batch = run->plan.batch, number = run->run_number;
    uint16_t free_head = driver->free_head, free = driver->free, next = driver->next, limit = driver->limit;
    uint16_t added = driver->added;
    for (; count < batch; count++) {
        if (next == limit) {
            driver_refresh(run, driver, next, &limit);
            if (next == limit)
                break;
        }
        const unsigned char *element = ring + USED + 4 + 8 * (size_t)(next & MASK);
        const uint32_t id = load32(element), bytes = load32(element + 4);
        if (id > MASK || slots[id].count == 0 || bytes > slots[id].writable) {
            run->broken = true;
            break;
        }
        slots[id].count = 0;
        slots[id].next = free_head;
        free_head = (uint16_t)id;
        free++;
        next++;
        const uint32_t token = slots[id].token;
        const unsigned char *frame = buffers + (size_t)STRIDE * token + HEADER;
        if (bytes > HEADER && frame_is_intact(frame, bytes - HEADER, number)) {
            const uint64_t sequence = word_at(frame + 24), bit = 1ull << (sequence & 63);
            uint64_t *const word = &returned[(sequence & (LEDGER - 1)) >> 6];
            if (sequence >= sent) {
                run->corrupted++;
            } else if (sequence < window_start || *word & bit) {
                run->duplicated++;
            } else {
                *word |= bit;
                received++;
            }
        } else {
            run->corrupted++;
        }
        pool[pool_count++] = token;
    }
    while (free && pool_count) {
        const uint32_t token = pool[--pool_count];
        const uint16_t head = free_head;
        store64(ring + 16 * (size_t)head, GUEST_ADDRESS + 2 * RING_SPACE + (uint64_t)STRIDE * token);
        store64(ring + 16 * (size_t)head + 8, STRIDE | (uint64_t)WRITE << 32);
        free_head = slots[head].next;
        free--;
        slots[head].token = token;
        slots[head].writable = STRIDE;
        slots[head].count = 1;
        store16(ring + AVAIL + 4 + 2 * (size_t)(added & MASK), head);
        added++;
    }
    driver->free_head = free_head;
    driver->free = free;
    driver->next = next;
    driver->limit = limit;
    driver->added = added;
    run->pool_count = pool_count;
    run->received = received;
    driver_publish(run, driver);
    return count;
}

/// How many frames may be sent now.
static inline uint32_t guest_room(const struct run *run)
{
    const uint64_t outstanding = run->sent - run->received;
    const uint32_t room = outstanding < run->plan.window ? run->plan.window - (uint32_t)outstanding : 0;
    return room < run->plan.batch ? room : run->plan.batch;
}

/// Takes sent buffers back and sends a batch of frames. How many went.
__attribute__((noinline)) static uint32_t guest_transmit(struct run *run)
{
    struct driver *const driver = &run->transmit;
    unsigned char *const ring = driver->ring, *const buffers = run->memory + 2 * RING_SPACE;
    struct slot *const slots = driver->slots;
    uint32_t *const pool = run->pool, pool_count = run->pool_count, count = 0;
    uint64_t *const returned = run->returned;
    uint64_t sent = run->sent, window_start = run->window_start;
    const uint32_t room = guest_room(run), length = run->plan.frame_size, number = run->run_number;
    uint16_t free_head = driver->free_head, free = driver->free, next = driver->next, limit = driver->limit;
    uint16_t added = driver->added;
    if (room == 0)
        return 0;
    while (free < run->plan.batch) {
        if (next == limit) {
            driver_refresh(run, driver, next, &limit);
            if (next == limit)
                break;
        }
        const uint32_t id = load32(ring + USED + 4 + 8 * (size_t)(next & MASK));
        if (id > MASK || slots[id].count == 0) {
            run->broken = true;
            break;
        }
        slots[id].count = 0;
        slots[id].next = free_head;
        free_head = (uint16_t)id;
        free++;
        next++;
        pool[pool_count++] = slots[id].token;
    }
    for (; count < room && free && pool_count; count++) {
        if ((sent & 63) == 0) {
            // 64 sequences leave the ledger; any of them that has not come back stays outstanding.
            if (sent >= LEDGER)
                window_start += 64;
            returned[(sent & (LEDGER - 1)) >> 6] = 0;
        }
        const uint32_t token = pool[--pool_count];
        unsigned char *const buffer = buffers + (size_t)STRIDE * token;
        memset(buffer, 0, HEADER);
        write_frame(buffer + HEADER, length, number, sent++);
        const uint16_t head = free_head;
        store64(ring + 16 * (size_t)head, GUEST_ADDRESS + 2 * RING_SPACE + (uint64_t)STRIDE * token);
        store64(ring + 16 * (size_t)head + 8, HEADER + length);
        free_head = slots[head].next;
        free--;
        slots[head].token = token;
        slots[head].writable = 0;
        slots[head].count = 1;
        store16(ring + AVAIL + 4 + 2 * (size_t)(added & MASK), head);
        added++;
    }
    driver->free_head = free_head;
    driver->free = free;
    driver->next = next;
    driver->limit = limit;
    driver->added = added;
    run->pool_count = pool_count;
    run->sent = sent;
    run->window_start = window_start;
    driver_publish(run, driver);
    return count;
}

/// Asks for a call after `chains` more; false where they are back already.
static bool driver_may_sleep(const struct driver *driver, uint16_t chains)
{
    store16(driver->ring + AVAIL + EVENT, driver->next + chains - 1);
    fence();
    return (uint16_t)(acquire16(driver->ring + USED + 2) - driver->next) < chains;
}

void *loopback_guest(void *argument)
{
    struct run *const run = argument;
    struct loopback_result *const result = &run->result;
    const uint64_t start = now();
    bool is_sending = true;
    guest_receive(run);
    for (;;) {
        const int phase = atomic_load_explicit(&run->phase, memory_order_relaxed);
        if (is_sending && phase != RUNNING) {
            is_sending = false;
            result->nanoseconds = now() - start;
            result->received_in_time = run->received;
        }
        if (phase == ENDING || run->broken || (!is_sending && run->sent == run->received))
            break;
        uint32_t moved = guest_receive(run);
        if (is_sending)
            moved += guest_transmit(run);
        if (moved || !driver_may_sleep(&run->receive, 1))
            continue;
        const uint16_t in_flight = SIZE - run->transmit.free;
        if (is_sending && guest_room(run) && in_flight
            && !driver_may_sleep(&run->transmit, in_flight > 1 ? in_flight / 2 : 1))
            continue;
        result->guest_sleeps++;
        rest(run->call);
    }
    result->sent = run->sent;
    result->received = run->received;
    result->lost = run->sent - run->received;
    result->duplicated = run->duplicated;
    result->corrupted = run->corrupted;
    run->guest_done = true;
    return NULL;
}
