// The generator's frames: as GeneratedFrame, FramePattern and FrameChecksum of VirtioNet write and check them.
#pragma once
#include "rings.h"
#include <string.h>

static inline uint64_t word_at(const unsigned char *at) { uint64_t w; memcpy(&w, at, 8); return w; }
static inline void put_word(unsigned char *at, uint64_t w) { memcpy(at, &w, 8); }
static inline uint64_t mix(uint64_t sum, uint64_t word)
{
    const uint64_t mixed = (sum ^ word) * 0x9fb21c651e98df25u;
    return mixed << 27 | mixed >> 37;
}

static inline uint64_t frame_sum(const unsigned char *frame, uint32_t length)
{
    uint64_t a = mix(length, word_at(frame)), b = mix(1, word_at(frame + 8));
    uint64_t c = mix(2, word_at(frame + 16)), d = mix(3, word_at(frame + 24));
    uint32_t at = 40;
    for (; at + 32 <= length; at += 32) {
        a = mix(a, word_at(frame + at));
        b = mix(b, word_at(frame + at + 8));
        c = mix(c, word_at(frame + at + 16));
        d = mix(d, word_at(frame + at + 24));
    }
    for (; at + 8 <= length; at += 8)
        a = mix(a, word_at(frame + at));
    if (at < length)
        b = mix(b, word_at(frame + length - 8));
    const uint64_t sum = mix(mix(mix(a, b), c), d);
    return (sum ^ sum >> 31) * 0x9fb21c651e98df25u;
}

// Destination 02:00:00:00:00:01, source 02:00:00:65:6d:75, ethertype 0x88b5, magic 0x7675; then run and length.
static const uint64_t word0 = 0x0002010000000002u, word1 = 0x7675b588756d6500u;

static inline void write_frame(unsigned char *frame, uint32_t length, uint32_t run, uint64_t sequence)
{
    put_word(frame, word0);
    put_word(frame + 8, word1);
    put_word(frame + 16, run | (uint64_t)length << 32);
    put_word(frame + 24, sequence);
    const uint64_t seed = (sequence + 1) * 0xd1b54a32d192ed03u;
    uint64_t word = seed ^ seed >> 29;
    const uint64_t step = word | 1;
    uint32_t at = 40;
    for (; at + 8 <= length; at += 8)
        put_word(frame + at, word += step);
    if (at < length)
        put_word(frame + length - 8, word += step);
    put_word(frame + 32, frame_sum(frame, length));
}

static inline bool frame_is_intact(const unsigned char *frame, uint32_t length, uint32_t run)
{
    return length >= 60 && length <= STRIDE - HEADER && word_at(frame + 32) == frame_sum(frame, length)
        && word_at(frame) == word0 && word_at(frame + 8) == word1
        && word_at(frame + 16) == (run | (uint64_t)length << 32);
}
