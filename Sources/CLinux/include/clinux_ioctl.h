// The system calls of a character device, vhost-vdpa's or VDUSE's. ioctl(2) is variadic and MAP_FAILED a cast, so neither imports.
// Every function returns what the call returns, or -errno (Documentation/userspace-api/ioctl, mmap(2)).
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

// -errno, apart from calls that succeed: those are to cost nothing here.
__attribute__((cold, noinline)) static inline int clinux_refusal(void) {
    return -errno;
}

static inline int clinux_ioctl(int fd, unsigned long request, unsigned long argument) {
    int result = ioctl(fd, request, argument);
    return result < 0 ? clinux_refusal() : result;
}

// At most INT_MAX bytes, of which the kernel takes no more at one time. How many were written, or -errno.
static inline int clinux_write(int fd, const void *bytes, size_t count) {
    ssize_t result = write(fd, bytes, count > INT_MAX ? INT_MAX : count);
    return result < 0 ? -errno : (int)result;
}

// Stores the address of the new mapping in *address and returns 0, or returns -errno.
static inline int clinux_mmap(void **address, size_t length, int protection, int flags, int fd, off_t offset) {
    void *result = mmap(0, length, protection, flags, fd, offset);
    if (result == MAP_FAILED) return -errno;
    *address = result;
    return 0;
}

// The open file's access mode (O_RDONLY, O_WRONLY, O_RDWR), or -errno.
static inline int clinux_access_mode(int fd) {
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 ? -errno : flags & O_ACCMODE;
}

// Keeps a descriptor from reaching programs that this process executes. 0 or -errno.
static inline int clinux_close_on_exec(int fd) {
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) return -errno;
    return 0;
}

// A file's type with its permissions (st_mode), and the number of the device that it stands for (st_rdev).
struct clinux_file_kind {
    uint32_t mode;
    uint64_t number;
};

static inline int clinux_kind_of_descriptor(int fd, struct clinux_file_kind *kind) {
    struct stat status;
    if (fstat(fd, &status) < 0) return -errno;
    *kind = (struct clinux_file_kind){status.st_mode, status.st_rdev};
    return 0;
}

// The same of the file at `path`, at the end of its symbolic links, without opening it.
static inline int clinux_kind_of_file(const char *path, struct clinux_file_kind *kind) {
    struct stat status;
    if (stat(path, &status) < 0) return -errno;
    *kind = (struct clinux_file_kind){status.st_mode, status.st_rdev};
    return 0;
}

// When the content of the file at `path` last changed, in seconds since 1970, or -errno.
static inline int64_t clinux_change_time(const char *path) {
    struct stat status;
    return stat(path, &status) < 0 ? -errno : status.st_mtim.tv_sec;
}

// The number of the device that a descriptor stands for, 0 where it stands for none.
static inline uint64_t clinux_device_number(int fd) {
    struct clinux_file_kind kind;
    return clinux_kind_of_descriptor(fd, &kind) < 0 ? 0 : kind.number;
}

// A descriptor of the device file at `path` for reading and writing, or -errno. A terminal does not become this
// process's, and is not waited for; vhost-vdpa knows neither flag.
static inline int clinux_open_device(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static const int clinux_read_write = O_RDWR;
