// A byte that says whether this is still the process that made it: the kernel empties its page in a child of fork(2)
// (MADV_WIPEONFORK, madvise(2)). To look at it takes no system call.
#pragma once
#include <stddef.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// A byte that is 1 here and 0 in a child, or NULL where the kernel does not have it.
static inline unsigned char *clinux_fork_mark_make(void) {
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return NULL;
    if (madvise(page, size, MADV_WIPEONFORK) != 0) {
        munmap(page, size);
        return NULL;
    }
    *(unsigned char *)page = 1;
    return (unsigned char *)page;
}

static inline void clinux_fork_mark_drop(unsigned char *mark) {
    if (mark != NULL) munmap(mark, (size_t)sysconf(_SC_PAGESIZE));
}

// What a forked child finds in the byte, or -1 where there is no child. For tests.
static inline int clinux_fork_mark_in_child(const volatile unsigned char *mark) {
    const pid_t child = fork();
    if (child == 0) _exit(*mark);
    int status;
    if (child < 0 || waitpid(child, &status, 0) < 0 || !WIFEXITED(status)) return -1;
    return WEXITSTATUS(status);
}
