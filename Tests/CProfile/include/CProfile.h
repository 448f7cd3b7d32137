// The functions that a piece of a test enters, where the tests are built with coverage (scripts/test --walks).
// What every thread of the process enters counts. One piece at a time.
#pragma once
#include <stdbool.h>

// Whether somebody wants to know: EMU_WALKS names the folder.
bool cprofile_is_wanted(void);

// Forgets what was entered before. False where the tests were built without coverage.
bool cprofile_begin(void);

// Writes what was entered since to NAME.profraw in the folder. Zero, or an errno.
int cprofile_end(const char *name);
