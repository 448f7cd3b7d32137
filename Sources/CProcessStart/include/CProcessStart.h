// What emu is told before `main`, by its build and by execve(2), and what it does before the initialisers of its
// libraries: for an executable alone.
#pragma once

// The arguments that execve(2) was given. Swift's CommandLine reads them from /proc/self/cmdline, and finds none where
// /proc is not mounted.
int cprocess_argument_count(void);

// The argument at `index`, below the count; the program's name is at 0.
const char *cprocess_argument(int index);

// The commit that scripts/package has built emu from; NULL in every other build.
const char *cprocess_commit(void);
