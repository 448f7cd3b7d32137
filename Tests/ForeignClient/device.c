// The words about a device's file and the memory that it is given.
//
//   open PATH              takes a descriptor of PATH in hand, for reading and writing
//   open-cloexec PATH      the same, closed by an exec
//   open32 PATH            opens PATH by the call of a 32-bit program; the descriptor is not taken in hand
//   use N                  takes the descriptor N in hand
//   reopen                 opens /proc/self/fd/N of the descriptor in hand, which stays in hand
//   dup2 N, dup3 N         makes N a duplicate of the descriptor in hand
//   close, close-range     closes the descriptor in hand
//   replace, replace3      closes it by dup2 or dup3 of standard input over it
//   over N, over-flags N   dup2 of the descriptor N over it; dup3 of standard input with the flags N
//   close-from N           closes all from N on by close_range(2)
//   read, stat             read(2) of 8 bytes; fstat(2): the major number
//   doorbell OFFSET        maps a page for writing at OFFSET; `ring NUMBER` writes the number to it
//   ioctl NAME [NUMBER]    one of the requests below; those that get answer with what they got
//   memory KIND BYTES      takes memory in hand: memfd, private, anonymous (shared, without a file), or a path
//   map IOVA BYTES         UPDATE of the memory in hand; map-writev IOVA BYTES: by writev(2), in two pieces
//   unmap IOVA BYTES       INVALIDATE
//   pinned                 VmPin of /proc/self/status in KiB
//   elsewhere              how many times the parent process has the file of the memory in hand mapped
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/vhost.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

// What a request takes or gives at its argument.
enum payload { nothing, gives8, gives32, gives64, takes8, takes32, takes64, takes_state, gives_state };

static const struct request {
    const char *name;
    unsigned long number;
    enum payload payload;
} requests[] = {
    {"set-owner", VHOST_SET_OWNER, nothing},
    {"get-features", VHOST_GET_FEATURES, gives64},
    {"set-features", VHOST_SET_FEATURES, takes64},
    {"get-backend-features", VHOST_GET_BACKEND_FEATURES, gives64},
    {"set-backend-features", VHOST_SET_BACKEND_FEATURES, takes64},
    {"get-device-id", VHOST_VDPA_GET_DEVICE_ID, gives32},
    {"get-status", VHOST_VDPA_GET_STATUS, gives8},
    {"set-status", VHOST_VDPA_SET_STATUS, takes8},
    {"get-queue-size", VHOST_VDPA_GET_VRING_NUM, gives32 /* 16 bits; the rest stays 0 */},
    {"set-config-call", VHOST_VDPA_SET_CONFIG_CALL, takes32},
    {"set-size", VHOST_SET_VRING_NUM, takes_state},
    {"set-base", VHOST_SET_VRING_BASE, takes_state},
    {"get-base", VHOST_GET_VRING_BASE, gives_state},
    {"enable", VHOST_VDPA_SET_VRING_ENABLE, takes_state},
};

static int64_t result_of(long result) { return result < 0 ? -errno : result; }

// One request; of a queue it is the first one.
static int64_t ask(const char *name) {
    for (size_t index = 0; index < sizeof requests / sizeof requests[0]; index++) {
        const struct request *request = &requests[index];
        if (strcmp(request->name, name) != 0) continue;
        union {
            uint8_t byte;
            uint32_t word;
            uint64_t all;
            struct vhost_vring_state state;
        } argument = {.all = 0};
        switch (request->payload) {
            case takes8: argument.byte = (uint8_t)next_number(name); break;
            case takes32: argument.word = (uint32_t)next_number(name); break;
            case takes64: argument.all = (uint64_t)next_number(name); break;
            case takes_state: argument.state.num = (unsigned)next_number(name); break;
            default: break;
        }
        const int64_t result = result_of(ioctl(client.descriptor, request->number, &argument));
        if (result < 0) return result;
        switch (request->payload) {
            case gives8: return argument.byte;
            case gives32: return argument.word;
            case gives64: return (int64_t)(argument.all & INT64_MAX);
            case gives_state: return argument.state.num;
            default: return result;
        }
    }
    give_up(name, "no such request");
}

static struct vhost_msg_v2 message_of(uint8_t type, const char *word) {
    struct vhost_msg_v2 message;
    memset(&message, 0, sizeof message);
    message.type = VHOST_IOTLB_MSG_V2;
    message.iotlb.iova = (uint64_t)next_number(word);
    message.iotlb.size = (uint64_t)next_number(word);
    message.iotlb.type = type;
    if (type != VHOST_IOTLB_UPDATE) return message;
    message.iotlb.uaddr = (uintptr_t)client.memory;
    message.iotlb.perm = VHOST_ACCESS_RW;
    return message;
}

static int64_t send_message(uint8_t type, const char *word) {
    struct vhost_msg_v2 message = message_of(type, word);
    return result_of(write(client.descriptor, &message, sizeof message));
}

static int64_t send_in_pieces(const char *word) {
    struct vhost_msg_v2 message = message_of(VHOST_IOTLB_UPDATE, word);
    const size_t header = offsetof(struct vhost_msg_v2, iotlb);
    const struct iovec pieces[] = {
        {&message, header}, {(char *)&message + header, sizeof message - header}};
    return result_of(writev(client.descriptor, pieces, 2));
}

static int64_t take_memory(const char *word) {
    const char *kind = next_argument(word);
    const size_t count = (size_t)next_number(word);
    int file = -1, flags = MAP_SHARED;
    if (strcmp(kind, "private") == 0) {
        flags = MAP_PRIVATE | MAP_ANONYMOUS;
    } else if (strcmp(kind, "anonymous") == 0) {
        flags = MAP_SHARED | MAP_ANONYMOUS;
    } else {
        file = strcmp(kind, "memfd") == 0 ? memfd_create("foreign-client", MFD_CLOEXEC)
                                          : open(kind, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (file < 0 || ftruncate(file, (off_t)count) < 0) return -errno;
    }
    void *memory = mmap(0, count, PROT_READ | PROT_WRITE, flags, file, 0);
    if (memory == MAP_FAILED) return -errno;
    struct stat found = {.st_ino = 0};
    if (file >= 0 && fstat(file, &found) < 0) return -errno;
    client.memory = memory;
    client.byte_count = count;
    client.inode = found.st_ino;
    return 0;
}

// Maps the page in hand.
static int64_t take_doorbell(off_t offset) {
    void *page = mmap(0, 4096, PROT_WRITE, MAP_SHARED, client.descriptor, offset);
    if (page == MAP_FAILED) return -errno;
    client.memory = page;
    client.byte_count = 4096;
    return 0;
}

static int64_t major_number(void) {
    struct stat found;
    if (fstat(client.descriptor, &found) < 0) return -errno;
    return S_ISCHR(found.st_mode) ? (int64_t)major(found.st_rdev) : -ENODEV;
}

static int64_t reopen(void) {
    char path[40];
    snprintf(path, sizeof path, "/proc/self/fd/%d", client.descriptor);
    return result_of(open(path, O_RDWR));
}

// open(2) as i386 numbers it. The path lies where 32 bits reach.
static int64_t open_as_32_bit(const char *path) {
    char *low = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (low == MAP_FAILED) return -errno;
    snprintf(low, 4096, "%s", path);
    long result;
    __asm__ volatile("int $0x80"
                     : "=a"(result)
                     : "a"(5L), "b"(low), "c"((long)O_RDWR), "d"(0L)
                     : "memory", "r8", "r9", "r10", "r11");
    munmap(low, 4096);
    return (int32_t)result;
}

static int64_t pinned_kibibytes(void) {
    FILE *status = fopen("/proc/self/status", "re");
    if (!status) return -errno;
    char line[256];
    int64_t pinned = -ENODATA;
    while (fgets(line, sizeof line, status)) sscanf(line, "VmPin: %" SCNd64, &pinned);
    fclose(status);
    return pinned;
}

static int64_t areas_elsewhere(void) {
    char line[512];
    snprintf(line, sizeof line, "/proc/%d/maps", getppid());
    FILE *maps = fopen(line, "re");
    if (!maps) return -errno;
    int64_t count = 0;
    while (fgets(line, sizeof line, maps)) {
        uint64_t inode = 0;
        sscanf(line, "%*s %*s %*s %*s %" SCNu64, &inode);
        count += inode != 0 && inode == client.inode;
    }
    fclose(maps);
    return count;
}

static int64_t take_in_hand(const char *path, int flags) {
    const int64_t opened = result_of(open(path, O_RDWR | flags));
    if (opened >= 0) client.descriptor = (int)opened;
    return opened;
}

static bool is(const char *word, const char *other) { return strcmp(word, other) == 0; }

bool do_device_word(const char *word) {
    const int device = client.descriptor;
    char bytes[8];
    if (is(word, "open")) answer(word, take_in_hand(next_argument(word), 0));
    else if (is(word, "open-cloexec")) answer(word, take_in_hand(next_argument(word), O_CLOEXEC));
    else if (is(word, "open32")) answer(word, open_as_32_bit(next_argument(word)));
    else if (is(word, "use")) client.descriptor = (int)next_number(word);
    else if (is(word, "reopen")) answer(word, reopen());
    else if (is(word, "dup2")) answer(word, result_of(dup2(device, (int)next_number(word))));
    else if (is(word, "dup3")) answer(word, result_of(dup3(device, (int)next_number(word), O_CLOEXEC)));
    else if (is(word, "close")) answer(word, result_of(close(device)));
    else if (is(word, "close-range")) answer(word, result_of(syscall(SYS_close_range, device, device, 0)));
    else if (is(word, "close-from")) answer(word, result_of(syscall(SYS_close_range, (int)next_number(word), ~0U, 0)));
    else if (is(word, "replace")) answer(word, result_of(dup2(0, device)));
    else if (is(word, "replace3")) answer(word, result_of(dup3(0, device, 0)));
    else if (is(word, "over")) answer(word, result_of(dup2((int)next_number(word), device)));
    else if (is(word, "over-flags")) answer(word, result_of(dup3(0, device, (int)next_number(word))));
    else if (is(word, "read")) answer(word, result_of(read(device, bytes, sizeof bytes)));
    else if (is(word, "stat")) answer(word, major_number());
    else if (is(word, "doorbell")) answer(word, take_doorbell(next_number(word)));
    else if (is(word, "ring")) *(volatile uint32_t *)client.memory = (uint32_t)next_number(word);
    else if (is(word, "memory")) answer(word, take_memory(word));
    else if (is(word, "map")) answer(word, send_message(VHOST_IOTLB_UPDATE, word));
    else if (is(word, "map-writev")) answer(word, send_in_pieces(word));
    else if (is(word, "unmap")) answer(word, send_message(VHOST_IOTLB_INVALIDATE, word));
    else if (is(word, "pinned")) answer(word, pinned_kibibytes());
    else if (is(word, "elsewhere")) answer(word, areas_elsewhere());
    else if (is(word, "ioctl")) {
        const char *name = next_argument(word);
        answer(name, ask(name));
    } else return false;
    return true;
}
