// A thread's name: prctl(2) is variadic and does not import.
#pragma once
#include <errno.h>
#include <sys/prctl.h>

// Names the calling thread; 0 or -errno. At most 15 bytes are kept, as the kernel's TASK_COMM_LEN says.
static inline int clinux_thread_set_name(const char *name)
{
    return prctl(PR_SET_NAME, name, 0, 0, 0) < 0 ? -errno : 0;
}
