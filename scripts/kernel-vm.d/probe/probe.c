// What a vhost-vdpa device says of itself, and how it behaves when its rings are not mapped.
//   probe DEVICE          one line of NAME=VALUE
//   probe DEVICE fault    starts queue 1 on addresses that nothing maps, and kicks it
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void must(int result, const char *what) {
    if (result < 0) {
        fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static void describe(int device) {
    uint64_t backend = 0, features = 0;
    uint32_t id = 0, config_size = 0;
    struct vhost_vdpa_iova_range range = {0};
    must(ioctl(device, VHOST_GET_BACKEND_FEATURES, &backend), "GET_BACKEND_FEATURES");
    must(ioctl(device, VHOST_GET_FEATURES, &features), "GET_FEATURES");
    must(ioctl(device, VHOST_VDPA_GET_DEVICE_ID, &id), "GET_DEVICE_ID");
    must(ioctl(device, VHOST_VDPA_GET_CONFIG_SIZE, &config_size), "GET_CONFIG_SIZE");
    must(ioctl(device, VHOST_VDPA_GET_IOVA_RANGE, &range), "GET_IOVA_RANGE");
    printf("backend=%#llx features=%#llx id=%u config=%u iova=%#llx-%#llx\n",
           (unsigned long long)backend, (unsigned long long)features, id, config_size,
           (unsigned long long)range.first, (unsigned long long)range.last);
}

static void add_status(int device, uint8_t *status, uint8_t bits) {
    *status |= bits;
    must(ioctl(device, VHOST_VDPA_SET_STATUS, status), "SET_STATUS");
}

static void fault(int device) {
    const unsigned queue = 1;
    uint8_t status = 0;
    uint64_t offered = 0;
    must(ioctl(device, VHOST_SET_OWNER), "SET_OWNER");
    add_status(device, &status, 0);
    add_status(device, &status, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
    must(ioctl(device, VHOST_GET_FEATURES, &offered), "GET_FEATURES");
    uint64_t taken = offered & (1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM);
    must(ioctl(device, VHOST_SET_FEATURES, &taken), "SET_FEATURES");
    add_status(device, &status, VIRTIO_CONFIG_S_FEATURES_OK);

    int kick = eventfd(0, EFD_CLOEXEC);
    must(kick, "eventfd");
    struct vhost_vring_state size = {.index = queue, .num = 256};
    struct vhost_vring_state enable = {.index = queue, .num = 1};
    struct vhost_vring_file kicked_by = {.index = queue, .fd = kick};
    struct vhost_vring_addr addresses = {
        .index = queue,
        .desc_user_addr = 0x100000000,
        .avail_user_addr = 0x100001000,
        .used_user_addr = 0x100002000,
    };
    must(ioctl(device, VHOST_SET_VRING_NUM, &size), "SET_VRING_NUM");
    must(ioctl(device, VHOST_SET_VRING_ADDR, &addresses), "SET_VRING_ADDR");
    must(ioctl(device, VHOST_SET_VRING_KICK, &kicked_by), "SET_VRING_KICK");
    must(ioctl(device, VHOST_VDPA_SET_VRING_ENABLE, &enable), "SET_VRING_ENABLE");
    add_status(device, &status, VIRTIO_CONFIG_S_DRIVER_OK);
    must(eventfd_write(kick, 1), "kick");
    usleep(200000);  // the fault is another machine's doing: nothing tells this program of it
    status = 0;
    must(ioctl(device, VHOST_VDPA_SET_STATUS, &status), "reset");
}

int main(int count, char **arguments) {
    if (count < 2) {
        fprintf(stderr, "probe DEVICE [fault]\n");
        return 2;
    }
    int device = open(arguments[1], O_RDWR | O_CLOEXEC);
    must(device, arguments[1]);
    if (count > 2 && strcmp(arguments[2], "fault") == 0)
        fault(device);
    else
        describe(device);
    return 0;
}
