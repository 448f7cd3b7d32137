#define _GNU_SOURCE
#include "clinux_windows.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

// A signal handler reads this at any moment, so it is an array that never moves: DPDK has 128 windows for each of its
// devices.
#define WINDOW_LIMIT 8192

struct window {
    _Atomic uint64_t is_taken;
    // 0 while there is none; set last and taken back first.
    _Atomic uint64_t start;
    _Atomic uint64_t end;
    _Atomic uint64_t page;
    uint64_t *_Atomic vanished;
};

static struct window windows[WINDOW_LIMIT];
// As many as have ever been used: what the handler looks at.
static _Atomic int used_windows;
static _Atomic int is_handled;
static struct sigaction earlier;

int clinux_watch_window(uint64_t start, uint64_t bytes, uint64_t page, uint64_t *vanished) {
    for (int number = 0; number < WINDOW_LIMIT; number++) {
        struct window *window = &windows[number];
        uint64_t is_taken = 0;
        if (!atomic_compare_exchange_strong(&window->is_taken, &is_taken, 1)) continue;
        atomic_store(&window->end, start + bytes);
        atomic_store(&window->page, page);
        atomic_store(&window->vanished, vanished);
        atomic_store(&window->start, start);
        int used = atomic_load(&used_windows);
        while (used <= number && !atomic_compare_exchange_weak(&used_windows, &used, number + 1)) {}
        return number;
    }
    return -ENOSPC;
}

void clinux_forget_window(int number) {
    atomic_store(&windows[number].start, 0);
    atomic_store(&windows[number].is_taken, 0);
}

// Whether an empty page is at `address` now, instead of one that a window had. Makes one system call and touches nothing
// that another thread may hold.
static int replace(uint64_t address) {
    const int count = atomic_load(&used_windows);
    for (int number = 0; number < count; number++) {
        struct window *window = &windows[number];
        const uint64_t start = atomic_load(&window->start), end = atomic_load(&window->end);
        if (start == 0 || address < start || address >= end) continue;
        const uint64_t page = atomic_load(&window->page);
        const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE;
        void *const place = (void *)(address & ~(page - 1));
        if (mmap(place, page, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED) return 0;
        uint64_t *const vanished = atomic_load(&window->vanished);
        if (vanished) __atomic_fetch_add(vanished, 1, __ATOMIC_RELAXED);
        return 1;
    }
    return 0;
}

static void handle(int number, siginfo_t *information, void *context) {
    const int error = errno;
    // What a process sends has no address, and is not meant for a window.
    const int is_fault = information->si_code > 0;
    if (is_fault && replace((uint64_t)(uintptr_t)information->si_addr)) {
        errno = error;
        return;
    }
    errno = error;
    if (earlier.sa_flags & SA_SIGINFO) {
        earlier.sa_sigaction(number, information, context);
    } else if (earlier.sa_handler != SIG_DFL && earlier.sa_handler != SIG_IGN) {
        earlier.sa_handler(number);
    } else if (is_fault || earlier.sa_handler == SIG_DFL) {
        // The access is made once more and ends the process, as it would have; a signal that was sent has to be sent again.
        signal(number, SIG_DFL);
        if (!is_fault) raise(number);
    }
}

int clinux_handle_vanished_pages(void) {
    int was_handled = 0;
    if (!atomic_compare_exchange_strong(&is_handled, &was_handled, 1)) return 0;
    if (sigaction(SIGBUS, NULL, &earlier) < 0) return -errno;
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
    sigemptyset(&action.sa_mask);
    return sigaction(SIGBUS, &action, NULL) < 0 ? -errno : 0;
}
