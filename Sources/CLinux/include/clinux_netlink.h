// Generic netlink asked from a child, so that a process that holds a vDPA device never waits for the kernel's generic
// netlink mutex: `vdpa dev del` holds that mutex while it waits for the device's close (drivers/vdpa/vdpa.c,
// vhost_vdpa_remove in drivers/vhost/vdpa.c), and no signal ends the wait for a mutex.
#pragma once
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// A child that was asked, and where it writes its answer: for each of the kernel's answers four bytes, its size, then
// the answer; where a call fails four bytes, -errno, and nothing after it. The end of the file where it has said all.
struct clinux_netlink_child {
    pid_t process;
    int answers;
};

// The child: it has nothing but the pipe from its first call on, and makes nothing but system calls, as a child of a
// program with threads must. `buffer` is its own copy of the parent's.
static inline _Noreturn void clinux_netlink_answer(
    int pipe, const void *requests, size_t size, int count, unsigned char *buffer, size_t capacity) {
    // Without close_range(2), Linux 5.9, nothing is asked: the device must not be in this process.
    if (dup2(pipe, 0) < 0 || syscall(SYS_close_range, 1U, ~0U, 0U) < 0) _exit(1);
    int32_t word;
    const int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
    if (netlink < 0 || send(netlink, requests, size, 0) < 0) {
        word = -errno;
        _exit(write(0, &word, sizeof word) < 0);
    }
    for (int i = 0; i < count; i++) {
        const ssize_t length = recv(netlink, buffer, capacity, 0);
        word = length < 0 ? -errno : (int32_t)length;
        if (write(0, &word, sizeof word) < 0) _exit(1);
        if (length < 0 || write(0, buffer, (size_t)length) != length) _exit(1);
    }
    _exit(0);
}

// Starts a child that sends `requests`, one or more netlink messages of `size` bytes in all, and reads `count` answers.
// 0 or -errno. The child hears no signal but SIGKILL and SIGSTOP; the caller closes `answers` and waits for the child.
static inline int clinux_netlink_ask(
    const void *requests, size_t size, int count, unsigned char *buffer, size_t capacity,
    struct clinux_netlink_child *child) {
    int ends[2];
    if (syscall(SYS_pipe2, ends, O_CLOEXEC) < 0) return -errno;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t process = fork();
    if (process == 0) clinux_netlink_answer(ends[1], requests, size, count, buffer, capacity);
    const int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (process < 0) {
        close(ends[0]);
        return -error;
    }
    *child = (struct clinux_netlink_child){process, ends[0]};
    return 0;
}

// Whether the child is no more; does not wait for it.
static inline int clinux_netlink_is_over(pid_t process) {
    const pid_t ended = waitpid(process, NULL, WNOHANG);
    return ended > 0 || (ended < 0 && errno != EINTR);
}
