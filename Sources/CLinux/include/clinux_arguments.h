// The arguments that execve(2) was given. Swift's CommandLine reads them from /proc/self/cmdline, and finds none where
// /proc is not mounted.
#pragma once

int clinux_argument_count(void);

// The argument at `index`, below the count; the program's name is at 0.
const char *clinux_argument(int index);
