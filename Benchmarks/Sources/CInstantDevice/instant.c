// A vhost-vdpa device that says yes to everything at once: a program that is linked with this calls it in place of the C
// library's ioctl(2), so that what is left of a cycle is the program's own work.
#define _GNU_SOURCE
#include "CInstantDevice.h"
#include <fcntl.h>
#include <linux/vhost.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

const char *instant_device_path(void) {
    // Not closed: the terminal goes with it.
    int controller = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    return controller >= 0 && grantpt(controller) == 0 && unlockpt(controller) == 0 ? ptsname(controller) : 0;
}

int ioctl(int descriptor, unsigned long request, ...) {
    va_list list;
    va_start(list, request);
    void *answer = va_arg(list, void *);
    va_end(list);
    (void)descriptor;
    switch (request) {
    case VHOST_VDPA_GET_DEVICE_ID: *(uint32_t *)answer = 1; break;
    case VHOST_GET_FEATURES: *(uint64_t *)answer = 0x300000020; break;
    case VHOST_GET_BACKEND_FEATURES: *(uint64_t *)answer = 0x17e; break;
    case VHOST_VDPA_GET_CONFIG_SIZE: *(uint32_t *)answer = 0; break;
    case VHOST_VDPA_GET_IOVA_RANGE: *(struct vhost_vdpa_iova_range *)answer = (struct vhost_vdpa_iova_range){0, UINT64_MAX}; break;
    case VHOST_VDPA_GET_VQS_COUNT: *(uint32_t *)answer = 2; break;
    case VHOST_VDPA_GET_VRING_NUM: *(uint16_t *)answer = 256; break;
    case VHOST_VDPA_GET_STATUS: *(uint8_t *)answer = 0xb; break;
    default: break;
    }
    return 0;
}
