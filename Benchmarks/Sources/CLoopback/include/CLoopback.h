#pragma once
#include <stdint.h>

/// What the device does to one frame, the thousandth: shows that the check can fail.
enum loopback_spoil { LOOPBACK_SOUND, LOOPBACK_LOSE, LOOPBACK_REPEAT, LOOPBACK_ALTER };

/// A run: 256 descriptors a queue, one buffer a frame, EVENT_IDX.
struct loopback_plan {
    /// Bytes of a frame without its 12-byte header: 60 to 2036.
    uint32_t frame_size;
    /// Most frames that a side moves before it publishes them: 1 to 256.
    uint32_t batch;
    /// Most frames on their way: 1 to 256.
    uint32_t window;
    uint64_t nanoseconds;
    enum loopback_spoil spoil;
};

/// What became of the frames, and what waking cost.
struct loopback_result {
    uint64_t sent, received, lost, duplicated, corrupted;
    /// Frames that were back when the time was over, and the time itself.
    uint64_t received_in_time, nanoseconds;
    /// Eventfds written by the guest and by the device; how often each slept.
    uint64_t kicks, calls, guest_sleeps, device_sleeps;
};

/// Runs a guest thread and a device thread and waits for them. 0, or an errno where the run could not begin.
int loopback_run(const struct loopback_plan *plan, struct loopback_result *result);
