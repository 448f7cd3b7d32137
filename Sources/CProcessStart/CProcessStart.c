#include "CProcessStart.h"

#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int argument_count;
static char **argument_values;
static uint64_t blocked_signals, ignored_signals;

// The kernel's own set: 64 bits, the signals that the C library keeps for itself among them.
static void remember_signals(void) {
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, (void *)0, &blocked_signals, sizeof blocked_signals);
    for (int number = 1; number <= 64; number++) {
        struct sigaction action;
        if (sigaction(number, 0, &action) == 0 && action.sa_handler == SIG_IGN) ignored_signals |= 1ULL << (number - 1);
    }
}

// Ends the process with 2 and one line where its stack limit is below what a start takes, which would otherwise end it by
// SIGSEGV and without a word: libswiftCore's own initialiser has path names on its stack. Takes next to no stack itself.
static void require_stack(void) {
    static const char words[] =
        "emu: the stack limit is too small: less than 64 KiB (RLIMIT_STACK); raise it, as with `ulimit -s 8192`\n";
    struct rlimit limit;
    if (getrlimit(RLIMIT_STACK, &limit) != 0 || limit.rlim_cur >= 64 * 1024) return;
    // There is nobody else to tell where this cannot be written.
    const ssize_t written = write(2, words, sizeof words - 1);
    (void)written;
    _exit(2);
}

static void start(int count, char **values, char **environment) {
    (void)environment;
    argument_count = count;
    argument_values = values;
    remember_signals();
    require_stack();
}

// An executable's DT_PREINIT_ARRAY is run before any library's initialisers, with main's arguments (elf/dl-init.c).
__attribute__((section(".preinit_array"), used)) static void (*const start_entry)(int, char **, char **) = start;

int cprocess_argument_count(void) { return argument_count; }

const char *cprocess_argument(int index) { return argument_values[index]; }

uint64_t cprocess_blocked_signals(void) { return blocked_signals; }

uint64_t cprocess_ignored_signals(void) { return ignored_signals; }

// Made a string here, as quotes do not get through a package manifest.
#define TEXT_OF(words) #words
#define TEXT(macro) TEXT_OF(macro)

const char *cprocess_commit(void) {
#ifdef EMU_COMMIT
    return TEXT(EMU_COMMIT);
#else
    return NULL;
#endif
}
