#pragma once

// The device file that `ioctl` answers for at once, without asking the kernel. Any character device will do.
static const char *const instant_device_path = "/dev/null";
