// The device's thread: copies frames from the transmit ring into buffers of the receive ring.
#include "rings.h"

#include <stdlib.h>
#include <string.h>

struct map {
    uint64_t first, last, host, access;
};

struct table {
    struct map maps[MAPS];
    size_t last_hit;
};

struct part {
    unsigned char *start;
    uint32_t bytes;
};

/// One queue of the device, and the chain it took last.
struct queue {
    unsigned char *ring;
    uint16_t next, limit, completed, published, count;
    bool has_called;
    uint32_t total;
    struct part parts[PARTS];
};

static inline const struct map *look_up(const struct table *table, size_t *last_hit, uint64_t address)
{
    const struct map *map = &table->maps[*last_hit];
    if (map->first <= address && address <= map->last)
        return map;
    for (size_t low = 0, high = MAPS; low < high;) {
        const size_t middle = (low + high) / 2;
        map = &table->maps[middle];
        if (map->last < address)
            low = middle + 1;
        else if (address < map->first)
            high = middle;
        else
            return *last_hit = middle, map;
    }
    return NULL;
}

/// Reads a chain whose buffers the device reads or writes, whichever `access` says. False where it breaks a rule.
__attribute__((always_inline)) static inline bool walk(
    const struct table *table, size_t *last_hit, const unsigned char *ring, uint16_t index, uint16_t access,
    struct part *parts, uint32_t *part_count, uint32_t *total)
{
    uint32_t count = 0, sum = 0;
    for (uint16_t left = MASK;; left--) {
        uint64_t address = load64(ring + 16 * (size_t)index);
        const uint64_t rest = load64(ring + 16 * (size_t)index + 8);
        const uint16_t flags = (uint16_t)(rest >> 32);
        uint32_t bytes = (uint32_t)rest;
        if (flags & INDIRECT || bytes == 0 || (flags & WRITE) != access || __builtin_add_overflow(sum, bytes, &sum))
            return false;
        for (;;) {
            const struct map *map = look_up(table, last_hit, address);
            if (!map || !(map->access & (access ? 2 : 1)) || count == PARTS)
                return false;
            const uint64_t behind = map->last - address;
            const uint32_t part = behind >= bytes ? bytes : (uint32_t)behind + 1;
            parts[count++] = (struct part){(unsigned char *)(uintptr_t)(map->host + (address - map->first)), part};
            if (part == bytes)
                break;
            bytes -= part;
            address += part;
        }
        if (!(flags & NEXT))
            break;
        index = (uint16_t)(rest >> 48);
        if (left == 0 || index > MASK)
            return false;
    }
    *part_count = count;
    *total = sum;
    return true;
}

/// The copy where either side has several parts.
__attribute__((noinline)) static void copy_parts(const struct part *to, const struct part *from, uint32_t bytes)
{
    for (uint32_t to_at = 0, from_at = 0; bytes;) {
        uint32_t step = to->bytes - to_at < from->bytes - from_at ? to->bytes - to_at : from->bytes - from_at;
        step = step < bytes ? step : bytes;
        memcpy(to->start + to_at, from->start + from_at, step);
        bytes -= step;
        if ((to_at += step) == to->bytes)
            to++, to_at = 0;
        if ((from_at += step) == from->bytes)
            from++, from_at = 0;
    }
}

struct device {
    struct run *run;
    struct table table;
    struct queue receive, transmit;
    uint64_t moved;
};

/// Shows the guest what was completed, and calls it if it asks.
static inline void queue_publish(struct run *run, struct queue *queue)
{
    const uint16_t old = queue->published, new = queue->completed;
    if (old == new)
        return;
    release16(queue->ring + USED + 2, new);
    queue->published = new;
    fence();
    if (wants(load16(queue->ring + AVAIL + EVENT), new, old) || !queue->has_called) {
        run->result.calls++;
        wake(run->call);
    }
    queue->has_called = true;
}

static inline bool queue_refresh(struct run *run, const struct queue *queue, uint16_t next, uint16_t *limit)
{
    const uint16_t index = acquire16(queue->ring + AVAIL + 2), fresh = index - next;
    if ((uint32_t)fresh + (uint16_t)(next - queue->published) > SIZE) {
        run->broken = true;
        return false;
    }
    *limit = index;
    return fresh != 0;
}

/// Copies a batch of frames from the transmit ring into buffers of the receive ring. How many.
__attribute__((always_inline)) static inline uint32_t reflect(struct device *device, const enum loopback_spoil spoil)
{
    struct run *const run = device->run;
    struct queue *const receive = &device->receive, *const transmit = &device->transmit;
    unsigned char *const in = receive->ring, *const out = transmit->ring;
    uint16_t in_next = receive->next, in_limit = receive->limit, in_completed = receive->completed;
    uint16_t out_next = transmit->next, out_limit = transmit->limit, out_completed = transmit->completed;
    size_t in_hit = device->table.last_hit, out_hit = in_hit;
    const uint32_t batch = run->plan.batch;
    uint32_t count = 0;
    // The entry before the next one is past: no kick while this side looks by itself.
    store16(in + USED + USED_EVENT, in_next - 1);
    store16(out + USED + USED_EVENT, out_next - 1);
    for (; count < batch; count++) {
        if (in_next == in_limit && !queue_refresh(run, receive, in_next, &in_limit))
            break;
        if (out_next == out_limit && !queue_refresh(run, transmit, out_next, &out_limit))
            break;
        const uint16_t to = load16(in + AVAIL + 4 + 2 * (size_t)(in_next & MASK));
        const uint16_t from = load16(out + AVAIL + 4 + 2 * (size_t)(out_next & MASK));
        uint32_t to_count, from_count, room, bytes;
        if (to > MASK || from > MASK
            || !walk(&device->table, &in_hit, in, to, WRITE, receive->parts, &to_count, &room)
            || !walk(&device->table, &out_hit, out, from, 0, transmit->parts, &from_count, &bytes)
            || bytes <= HEADER || bytes > room || receive->parts[0].bytes < HEADER) {
            run->broken = true;
            break;
        }
        in_next++;
        out_next++;
        if (to_count == 1 && from_count == 1)
            memcpy(receive->parts[0].start, transmit->parts[0].start, bytes);
        else
            copy_parts(receive->parts, transmit->parts, bytes);
        // A received frame's header: nothing but num_buffers, 1.
        unsigned char *const header = receive->parts[0].start;
        memset(header, 0, HEADER - 2);
        memcpy(header + HEADER - 2, &(uint16_t){1}, 2);
        if (spoil != LOOPBACK_SOUND && device->moved + count == 1000) {
            if (spoil == LOOPBACK_ALTER)
                header[HEADER + 50] ^= 1;
            if (spoil == LOOPBACK_REPEAT)
                out_next--;
            if (spoil == LOOPBACK_LOSE)
                in_next--;
        }
        if (spoil != LOOPBACK_REPEAT || device->moved + count != 1000) {
            store32(out + USED + 4 + 8 * (size_t)(out_completed & MASK), from);
            store32(out + USED + 8 + 8 * (size_t)(out_completed & MASK), 0);
            out_completed++;
        }
        if (spoil != LOOPBACK_LOSE || device->moved + count != 1000) {
            store32(in + USED + 4 + 8 * (size_t)(in_completed & MASK), to);
            store32(in + USED + 8 + 8 * (size_t)(in_completed & MASK), bytes);
            in_completed++;
        }
    }
    device->table.last_hit = in_hit;
    device->moved += count;
    receive->next = in_next, receive->limit = in_limit, receive->completed = in_completed;
    transmit->next = out_next, transmit->limit = out_limit, transmit->completed = out_completed;
    queue_publish(run, receive);
    queue_publish(run, transmit);
    return count;
}

__attribute__((noinline)) static uint32_t reflect_sound(struct device *device) { return reflect(device, LOOPBACK_SOUND); }
__attribute__((noinline)) static uint32_t reflect_spoilt(struct device *device) { return reflect(device, device->run->plan.spoil); }

/// Asks for a kick where a ring has run dry; false where chains have come meanwhile.
static bool queue_may_sleep(const struct queue *queue)
{
    store16(queue->ring + USED + USED_EVENT, queue->next);
    fence();
    return acquire16(queue->ring + AVAIL + 2) == queue->next;
}

void *loopback_device(void *argument)
{
    struct run *const run = argument;
    struct device *const device = calloc(1, sizeof *device);
    if (!device)
        abort();
    device->run = run;
    device->receive.ring = run->memory;
    device->transmit.ring = run->memory + RING_SPACE;
    // As many maps as a machine of one RAM block has, the one in use neither first nor last.
    for (size_t map = 0; map < MAPS; map++) {
        const uint64_t first = GUEST_ADDRESS + ((uint64_t)map - MAPS / 2) * 0x1000000;
        device->table.maps[map] = (struct map){first, first + MEMORY_BYTES - 1, (uintptr_t)run->memory, map == MAPS / 2 ? 3 : 0};
    }
    while (atomic_load_explicit(&run->phase, memory_order_relaxed) != ENDING && !run->broken) {
        if (run->plan.spoil == LOOPBACK_SOUND ? reflect_sound(device) : reflect_spoilt(device))
            continue;
        // Buffers are news only to a device that holds frames for them.
        struct queue *const awaited = acquire16(device->transmit.ring + AVAIL + 2) == device->transmit.next
            ? &device->transmit : &device->receive;
        if (!queue_may_sleep(awaited))
            continue;
        run->result.device_sleeps++;
        rest(run->kick);
    }
    free(device);
    return NULL;
}
