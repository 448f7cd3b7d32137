// What only a conformance check asks of a descriptor. Every function returns the errno, or 0 for success.
#pragma once
#include <errno.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// Makes the ioctl in a forked child, which has the descriptor and an address space of its own (fork(2)). The child
// only makes system calls, as a child of a program with threads must.
static inline int clinux_ioctl_in_child(int fd, unsigned long request, unsigned long argument) {
    pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) _exit(ioctl(fd, request, argument) < 0 ? errno : 0);
    int status;
    for (int attempt = 1; waitpid(child, &status, 0) < 0; attempt++)
        if (errno != EINTR || attempt >= 1000) return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

// EPOLL_CTL_ADD of `fd` to an epoll instance of its own.
static inline int clinux_epoll_add(int fd) {
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) return errno;
    struct epoll_event event = {.events = EPOLLIN};
    int error = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? errno : 0;
    close(epoll);
    return error;
}

// Reads one byte of `fd`.
static inline int clinux_read_error(int fd) {
    char byte;
    return read(fd, &byte, 1) < 0 ? errno : 0;
}
