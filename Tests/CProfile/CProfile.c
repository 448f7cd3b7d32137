#include "CProfile.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

// compiler-rt's profile runtime, which only a build with coverage links (compiler-rt/lib/profile/InstrProfiling.h).
extern void __llvm_profile_reset_counters(void) __attribute__((weak));
extern void __llvm_profile_set_filename(const char *) __attribute__((weak));
extern int __llvm_profile_write_file(void) __attribute__((weak));

bool cprofile_is_wanted(void) { return getenv("EMU_WALKS") != NULL; }

bool cprofile_begin(void) {
    if (!__llvm_profile_reset_counters || !__llvm_profile_set_filename || !__llvm_profile_write_file) return false;
    __llvm_profile_reset_counters();
    return true;
}

int cprofile_end(const char *name) {
    const char *folder = getenv("EMU_WALKS");
    if (!folder || !__llvm_profile_write_file) return ENOENT;
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s.profraw", folder, name) >= (int)sizeof path) return ENAMETOOLONG;
    __llvm_profile_set_filename(path);
    const int result = __llvm_profile_write_file();
    // The runtime writes once more when the process ends, and not into that file.
    __llvm_profile_set_filename("/dev/null");
    return result == 0 ? 0 : errno ? errno : EIO;
}
