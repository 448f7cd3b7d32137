#pragma once

// The device file that `ioctl` answers for at once, without asking the kernel: a terminal of this process's own, the one
// character device that sysfs does not know as something else. NULL where there is none.
const char *instant_device_path(void);
