#pragma once
#include <stddef.h>
#include <stdint.h>

/// libFuzzer's entry as a library (compiler-rt, FuzzerInterface.h): runs `callback` on inputs until told to stop.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *bytes, size_t count));
