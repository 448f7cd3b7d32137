// What emu is told before `main`, by its build and by execve(2), and what it does before the initialisers of its
// libraries: for an executable alone.
#pragma once
#include <stdint.h>

// The arguments that execve(2) was given. Swift's CommandLine reads them from /proc/self/cmdline, and finds none where
// /proc is not mounted.
int cprocess_argument_count(void);

// The argument at `index`, below the count; the program's name is at 0.
const char *cprocess_argument(int index);

// The signals that were blocked and those that were ignored, bit n - 1 for signal n, before emu changed either.
uint64_t cprocess_blocked_signals(void);
uint64_t cprocess_ignored_signals(void);

// The commit that scripts/package has built emu from; NULL in every other build.
const char *cprocess_commit(void);
