#pragma once
#include <stddef.h>
#include <stdint.h>

/// The memory a run works on: the same for every implementation, so that placement does not decide.
struct ring_arena {
    /// The ring, laid out as RingGeometry does, at `ring_iova` for the device.
    unsigned char *ring;
    size_t ring_bytes;
    uint64_t ring_iova;
    size_t avail_offset;
    size_t used_offset;
    /// `size` payload buffers of `stride` bytes at `buffers_iova`.
    unsigned char *buffers;
    size_t buffer_bytes;
    uint64_t buffers_iova;
    size_t stride;
    /// Where the device copies payloads to.
    unsigned char *sink;
    uint16_t size;
};

/// Nanoseconds spent on each side, and what was carried.
struct ring_times {
    uint64_t device_ns;
    uint64_t driver_ns;
    uint64_t chains;
    /// A sum over what the driver got back, the same for every implementation.
    uint64_t checksum;
};

/// The monotonic clock in nanoseconds.
uint64_t ring_now(void);

/// Carries `rounds` full rings of chains of one `payload` bytes long readable buffer from driver to device.
struct ring_times ring_run_c(const struct ring_arena *arena, uint32_t payload, uint32_t rounds);
