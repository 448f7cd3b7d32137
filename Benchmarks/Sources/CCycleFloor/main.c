// What a stop and start of a vhost-vdpa device costs at the least: a program that makes only the necessary calls.
//
//   cycle-floor [huge] [like-emu] DEVICE MEBIBYTES CYCLES STRATEGY...     STRATEGY: persist | resume | remap
//
// The baseline of `emu cycle`: the same memory (the sections of emu's PC, prefaulted, 4 KiB pages), the same queues,
// strategies in turns, idle queues, CLOCK_MONOTONIC around the calls. Left out as not necessary for a device that
// was started before with the same features: reading FEATURES_OK back, SET_CONFIG_CALL. SET_VRING_KICK is made as QEMU
// makes it: whoever is handed an eventfd's number cannot tell whether it is still the file that vhost has bound.
// A device without SUSPEND (vp_vdpa) has no ring positions to give: its rings start over from zero, off the clock, and
// its maps go after the reset, as it is live until then. `huge`: 2 MiB pages.
// `like-emu`: with what emu has and a floor has not: a second thread, which makes the kernel count files at every call, and
// the two calls above.
// Prints one JSON object a line and strategy, times in microseconds. One frame must come back after the last cycle
// of each strategy, or the exit status is 1.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifndef VHOST_VDPA_RESUME
#define VHOST_VDPA_RESUME _IO(VHOST_VIRTIO, 0x7E)
#endif
#ifndef VHOST_VDPA_SUSPEND
#define VHOST_VDPA_SUSPEND _IO(VHOST_VIRTIO, 0x7D)
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

enum { F_MSG_V2 = 1 << 1, F_BATCH = 1 << 2, F_SUSPEND = 1 << 4, F_RESUME = 1 << 5, F_PERSIST = 1 << 8 };
enum { QUEUES = 2, SIZE = 256, MAX_CYCLES = 100000 };
enum strategy { PERSIST, RESUME, REMAP, STRATEGIES };
static const char *const names[] = {"persist", "resume", "remap"};

struct section { uint64_t first, size, host; uint8_t access; };

static int device, kicks[QUEUES], calls[QUEUES], section_count;
static uint32_t bases[QUEUES];
static uint64_t features, offered;
static int huge, like_emu, config_call;
static struct section sections[7];
static uint8_t *ram;
static uint16_t sent;
static uint64_t samples[STRATEGIES][MAX_CYCLES];

static void die(const char *what) {
    fprintf(stderr, "cycle-floor: %s: %s\n", what, strerror(errno));
    exit(2);
}

static void control(unsigned long request, void *argument, const char *what) {
    if (ioctl(device, request, argument) < 0) die(what);
}
#define CONTROL(request, argument) control(request, argument, #request)

static void set_status(uint8_t status) { CONTROL(VHOST_VDPA_SET_STATUS, &status); }

static void message(uint8_t type, const struct section *section) {
    struct vhost_msg_v2 message = {.type = VHOST_IOTLB_MSG_V2};
    message.iotlb.type = type;
    if (section) {
        message.iotlb.iova = section->first;
        message.iotlb.size = section->size;
        message.iotlb.uaddr = section->host;
        message.iotlb.perm = section->access;
    }
    if (write(device, &message, sizeof message) != sizeof message) die("IOTLB message");
}

static void batch(uint8_t type) {
    message(VHOST_IOTLB_BATCH_BEGIN, NULL);
    for (int i = 0; i < section_count; i++) message(type, &sections[i]);
    message(VHOST_IOTLB_BATCH_END, NULL);
}

static uint8_t *shared(const char *name, uint64_t size) {
    int file = memfd_create(name, MFD_CLOEXEC | (huge && size >= 2 << 20 ? MFD_HUGETLB : 0));
    if (file < 0 || ftruncate(file, (off_t)size) < 0) die("memfd");
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED || madvise(memory, size, MADV_POPULATE_WRITE) < 0) die("guest memory");
    return memory;
}

static void add(uint64_t first, uint64_t size, uint8_t *host, uint8_t access) {
    sections[section_count++] = (struct section){first, size, (uint64_t)(uintptr_t)host, access};
}

// The sections of emu's PCMemoryLayout.
static void lay_out(uint64_t size) {
    const uint64_t limit = 2ULL << 30, low = size < limit ? size : limit;
    ram = shared("ram", size);
    add(0, 0xc0000, ram, VHOST_ACCESS_RW);
    add(0xc0000, 0x20000, ram + 0xc0000, VHOST_ACCESS_RO);
    add(0xe0000, 0x10000, ram + 0xe0000, VHOST_ACCESS_RW);
    add(0xf0000, 0x10000, ram + 0xf0000, VHOST_ACCESS_RO);
    add(0x100000, low - 0x100000, ram + 0x100000, VHOST_ACCESS_RW);
    add(0xffff0000, 0x10000, shared("bios", 0x10000), VHOST_ACCESS_RO);
    if (size > low) add(1ULL << 32, size - low, ram + low, VHOST_ACCESS_RW);
}

static uint64_t ring(int queue) { return (16 << 20) + (uint64_t)queue * 0x10000; }

static void *sleep_forever(void *nothing) {
    for (;;) pause();
    return nothing;
}

static void start(int remaps) {
    CONTROL(VHOST_SET_FEATURES, &features);
    set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK);
    if (like_emu) {
        uint8_t status;
        CONTROL(VHOST_VDPA_GET_STATUS, &status);
        CONTROL(VHOST_VDPA_SET_CONFIG_CALL, &config_call);
    }
    if (remaps) batch(VHOST_IOTLB_UPDATE);
    for (unsigned i = 0; i < QUEUES; i++) {
        struct vhost_vring_state state = {i, SIZE};
        CONTROL(VHOST_SET_VRING_NUM, &state);
        state.num = bases[i];
        CONTROL(VHOST_SET_VRING_BASE, &state);
        struct vhost_vring_addr address = {.index = i, .desc_user_addr = ring((int)i),
            .avail_user_addr = ring((int)i) + 0x1000, .used_user_addr = ring((int)i) + 0x2000};
        CONTROL(VHOST_SET_VRING_ADDR, &address);
        struct vhost_vring_file file = {i, calls[i]};
        CONTROL(VHOST_SET_VRING_CALL, &file);
        file.fd = kicks[i];
        CONTROL(VHOST_SET_VRING_KICK, &file);
    }
    for (unsigned i = 0; i < QUEUES; i++) {
        struct vhost_vring_state state = {i, 1};
        CONTROL(VHOST_VDPA_SET_VRING_ENABLE, &state);
    }
    set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK
        | VIRTIO_CONFIG_S_DRIVER_OK);
}

static void stop(int unmaps) {
    const int suspends = (offered & F_SUSPEND) != 0;
    if (suspends) {
        CONTROL(VHOST_VDPA_SUSPEND, NULL);
        for (unsigned i = 0; i < QUEUES; i++) {
            struct vhost_vring_state state = {i, 0};
            CONTROL(VHOST_GET_VRING_BASE, &state);
            bases[i] = state.num;
        }
        if (unmaps) batch(VHOST_IOTLB_INVALIDATE);
    }
    set_status(0);
    if (unmaps && !suspends) batch(VHOST_IOTLB_INVALIDATE);
    set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
}

// A kick that came while the queue was off is lost.
static void kick(void) {
    const uint64_t one = 1;
    for (int i = 0; i < QUEUES; i++)
        if (write(kicks[i], &one, sizeof one) < 0 && errno != EAGAIN) die("kick");
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// Empty rings, as a driver that starts over makes them.
static void empty_rings(void) {
    for (int i = 0; i < QUEUES; i++) memset(ram + ring(i), 0, 0x3000);
    sent = 0;
}

static uint64_t cycle(enum strategy strategy) {
    uint64_t acknowledged = F_MSG_V2 | F_BATCH | (offered & (F_SUSPEND | F_RESUME));
    if (strategy != REMAP) acknowledged |= F_PERSIST;
    CONTROL(VHOST_SET_BACKEND_FEATURES, &acknowledged);
    uint64_t begin = now();
    if (strategy == RESUME) {
        CONTROL(VHOST_VDPA_SUSPEND, NULL);
        CONTROL(VHOST_VDPA_RESUME, NULL);
    } else {
        stop(strategy == REMAP);
        if (!(offered & F_SUSPEND)) {
            const uint64_t pause = now();
            empty_rings();
            begin += now() - pause;
        }
        start(strategy == REMAP);
    }
    kick();
    return now() - begin;
}

// Sends one frame to everyone through the device's loopback. Whether it comes back.
static int frame_returns(void) {
    const uint64_t data = 17 << 20;
    for (int i = 0; i < QUEUES; i++) {
        uint64_t count;
        if (read(calls[i], &count, sizeof count) < 0 && errno != EAGAIN) die("call");
        const uint16_t slot = sent % SIZE;
        struct vring_desc *descriptor = (void *)(ram + ring(i) + slot * sizeof *descriptor);
        struct vring_avail *avail = (void *)(ram + ring(i) + 0x1000);
        *descriptor = (struct vring_desc){
            data + (uint64_t)i * 4096, i == 0 ? 2048 : 12 + 64, i == 0 ? VRING_DESC_F_WRITE : 0, 0};
        if (i == 1) {
            memset(ram + data + 4096, 0, 12 + 64);
            memset(ram + data + 4096 + 12, 0xff, 6);
        }
        avail->ring[slot] = slot;
        __atomic_store_n(&avail->idx, (uint16_t)(sent + 1), __ATOMIC_RELEASE);
    }
    sent++;
    struct vring_used *used = (void *)(ram + ring(0) + 0x2000);
    kick();
    for (int tries = 0; tries < 100; tries++) {
        if (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) == sent) return 1;
        struct pollfd event = {calls[0], POLLIN, 0};
        poll(&event, 1, 50);
    }
    return 0;
}

// Physically contiguous runs of the sections, as `emu cycle` counts them; -1 where the kernel does not show them.
static long contiguous_runs(void) {
    int file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (file < 0) return -1;
    static uint64_t entries[4096];
    long runs = 0;
    for (int i = 0; i < section_count; i++) {
        uint64_t last = 0;
        for (uint64_t page = 0; page < sections[i].size / 4096; page++) {
            if (page % 4096 == 0
                && pread(file, entries, sizeof entries, (off_t)((sections[i].host / 4096 + page) * 8)) < 8)
                die("pagemap");
            const uint64_t frame = entries[page % 4096] & ((1ULL << 55) - 1);
            if (!frame) return -1;
            runs += frame != last + 1 || page == 0;
            last = frame;
        }
    }
    close(file);
    return runs;
}

static int ascending(const void *left, const void *right) {
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static double percentile(const uint64_t *sorted, int count, int percent) {
    return (double)sorted[(count * percent + 99) / 100 - 1] / 1000;
}

int main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "huge")) huge = 1, argc--, argv++;
    if (argc > 1 && !strcmp(argv[1], "like-emu")) like_emu = 1, argc--, argv++;
    if (argc < 5) return fprintf(stderr, "cycle-floor [huge] [like-emu] DEVICE MEBIBYTES CYCLES STRATEGY...\n"), 2;
    const uint64_t size = strtoull(argv[2], NULL, 10) << 20;
    const int cycles = atoi(argv[3]), warm_up = 2;
    if (size < 64 << 20 || cycles < 1 || cycles > MAX_CYCLES) return fprintf(stderr, "64 MiB or more, 1 to %d cycles\n", MAX_CYCLES), 2;
    enum strategy strategies[STRATEGIES];
    int count = 0;
    for (int i = 4; i < argc && count < STRATEGIES; i++)
        for (enum strategy s = 0; s < STRATEGIES; s++)
            if (!strcmp(argv[i], names[s])) strategies[count++] = s;
    if (count != argc - 4) return fprintf(stderr, "strategies: persist resume remap\n"), 2;

    if (like_emu) {
        pthread_t thread;
        config_call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (config_call < 0 || pthread_create(&thread, NULL, sleep_forever, NULL)) die("the likeness of emu");
    }
    lay_out(size);
    device = open(argv[1], O_RDWR | O_CLOEXEC);
    if (device < 0) die(argv[1]);
    CONTROL(VHOST_GET_BACKEND_FEATURES, &offered);
    CONTROL(VHOST_GET_FEATURES, &features);
    features &= 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM | 1ULL << VIRTIO_NET_F_MAC;
    uint64_t acknowledged = F_MSG_V2 | F_BATCH | (offered & F_SUSPEND);
    CONTROL(VHOST_SET_BACKEND_FEATURES, &acknowledged);
    set_status(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    CONTROL(VHOST_SET_OWNER, NULL);
    for (unsigned i = 0; i < QUEUES; i++) {
        kicks[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        calls[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        struct vhost_vring_file file = {i, kicks[i]};
        if (kicks[i] < 0 || calls[i] < 0) die("eventfd");
        CONTROL(VHOST_SET_VRING_KICK, &file);
    }
    start(1);
    int status = 0;
    for (int round = -warm_up; round < cycles; round++)
        for (int turn = 0; turn < count; turn++) {
            const enum strategy strategy = strategies[(turn + round + warm_up) % count];
            const uint64_t time = cycle(strategy);
            if (round >= 0) samples[strategy][round] = time;
            if ((round == -warm_up || round == cycles - 1) && !frame_returns()) {
                fprintf(stderr, "cycle-floor: %s: no frame came back\n", names[strategy]);
                status = 1;
            }
        }
    const long runs = contiguous_runs();
    for (int i = 0; i < count; i++) {
        uint64_t *times = samples[strategies[i]];
        qsort(times, (size_t)cycles, sizeof *times, ascending);
        printf("{\"strategy\": \"%s\", \"memoryBytes\": %llu, \"runs\": %ld, \"cycles\": %d, \"min\": %.3f, \"p50\": %.3f, \"p99\": %.3f}\n",
            names[strategies[i]], (unsigned long long)size, runs, cycles, (double)times[0] / 1000,
            percentile(times, cycles, 50), percentile(times, cycles, 99));
    }
    return status;
}
