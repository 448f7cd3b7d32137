// The numbers of the vhost-vdpa interface, under names Swift can import: function-like `_IO*` macros do not
// import, and Debian 12's headers end at Linux 6.1, so the later ones are spelled out after
// include/uapi/linux/vhost.h and vhost_types.h of Linux 6.12. What the headers have is asserted to agree.
#pragma once
#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vhost.h>
#include <stddef.h>

// Generic vhost requests.
static const unsigned long clinux_vhost_get_features = VHOST_GET_FEATURES;
static const unsigned long clinux_vhost_set_features = VHOST_SET_FEATURES;
static const unsigned long clinux_vhost_set_owner = VHOST_SET_OWNER;
static const unsigned long clinux_vhost_set_mem_table = VHOST_SET_MEM_TABLE;
static const unsigned long clinux_vhost_set_log_base = VHOST_SET_LOG_BASE;
static const unsigned long clinux_vhost_set_log_fd = VHOST_SET_LOG_FD;
static const unsigned long clinux_vhost_set_vring_num = VHOST_SET_VRING_NUM;
static const unsigned long clinux_vhost_set_vring_addr = VHOST_SET_VRING_ADDR;
static const unsigned long clinux_vhost_set_vring_base = VHOST_SET_VRING_BASE;
static const unsigned long clinux_vhost_get_vring_base = VHOST_GET_VRING_BASE;
static const unsigned long clinux_vhost_set_vring_kick = VHOST_SET_VRING_KICK;
static const unsigned long clinux_vhost_set_vring_call = VHOST_SET_VRING_CALL;
static const unsigned long clinux_vhost_set_vring_err = VHOST_SET_VRING_ERR;
static const unsigned long clinux_vhost_set_backend_features = VHOST_SET_BACKEND_FEATURES;
static const unsigned long clinux_vhost_get_backend_features = VHOST_GET_BACKEND_FEATURES;

// vhost-vdpa requests.
static const unsigned long clinux_vdpa_get_device_id = VHOST_VDPA_GET_DEVICE_ID;
static const unsigned long clinux_vdpa_get_status = VHOST_VDPA_GET_STATUS;
static const unsigned long clinux_vdpa_set_status = VHOST_VDPA_SET_STATUS;
static const unsigned long clinux_vdpa_get_config = VHOST_VDPA_GET_CONFIG;
static const unsigned long clinux_vdpa_set_config = VHOST_VDPA_SET_CONFIG;
static const unsigned long clinux_vdpa_set_vring_enable = VHOST_VDPA_SET_VRING_ENABLE;
static const unsigned long clinux_vdpa_get_vring_num = VHOST_VDPA_GET_VRING_NUM;
static const unsigned long clinux_vdpa_set_config_call = VHOST_VDPA_SET_CONFIG_CALL;
static const unsigned long clinux_vdpa_get_iova_range = VHOST_VDPA_GET_IOVA_RANGE;
static const unsigned long clinux_vdpa_get_config_size = VHOST_VDPA_GET_CONFIG_SIZE;
static const unsigned long clinux_vdpa_get_as_num = VHOST_VDPA_GET_AS_NUM;
static const unsigned long clinux_vdpa_get_vring_group = VHOST_VDPA_GET_VRING_GROUP;
static const unsigned long clinux_vdpa_set_group_asid = VHOST_VDPA_SET_GROUP_ASID;
static const unsigned long clinux_vdpa_suspend = VHOST_VDPA_SUSPEND;
static const unsigned long clinux_vdpa_get_vqs_count = VHOST_VDPA_GET_VQS_COUNT;
static const unsigned long clinux_vdpa_get_group_num = VHOST_VDPA_GET_GROUP_NUM;
static const unsigned long clinux_vdpa_resume = _IO(VHOST_VIRTIO, 0x7E);
static const unsigned long clinux_vdpa_get_vring_desc_group = _IOWR(VHOST_VIRTIO, 0x7F, struct vhost_vring_state);
static const unsigned long clinux_vdpa_get_vring_size = _IOWR(VHOST_VIRTIO, 0x82, struct vhost_vring_state);

// What the rest of the project encodes by hand is what the compiler lays out.
_Static_assert(VHOST_GET_FEATURES == 0x8008af00UL, "VHOST_GET_FEATURES");
_Static_assert(VHOST_SET_VRING_ADDR == 0x4028af11UL, "VHOST_SET_VRING_ADDR");
_Static_assert(VHOST_VDPA_GET_IOVA_RANGE == 0x8010af78UL, "VHOST_VDPA_GET_IOVA_RANGE");
_Static_assert(VHOST_VDPA_SUSPEND == 0xaf7dUL, "VHOST_VDPA_SUSPEND");
_Static_assert(sizeof(struct vhost_vring_state) == 8, "vhost_vring_state");
_Static_assert(sizeof(struct vhost_vring_file) == 8, "vhost_vring_file");
_Static_assert(sizeof(struct vhost_vring_addr) == 40, "vhost_vring_addr");
_Static_assert(offsetof(struct vhost_vring_addr, desc_user_addr) == 8, "vhost_vring_addr.desc");
_Static_assert(offsetof(struct vhost_vring_addr, used_user_addr) == 16, "vhost_vring_addr.used");
_Static_assert(offsetof(struct vhost_vring_addr, avail_user_addr) == 24, "vhost_vring_addr.avail");
_Static_assert(offsetof(struct vhost_vring_addr, log_guest_addr) == 32, "vhost_vring_addr.log");
_Static_assert(sizeof(struct vhost_vdpa_iova_range) == 16, "vhost_vdpa_iova_range");
_Static_assert(sizeof(struct vhost_iotlb_msg) == 32, "vhost_iotlb_msg");
_Static_assert(offsetof(struct vhost_iotlb_msg, uaddr) == 16, "vhost_iotlb_msg.uaddr");
_Static_assert(offsetof(struct vhost_iotlb_msg, perm) == 24, "vhost_iotlb_msg.perm");
_Static_assert(offsetof(struct vhost_iotlb_msg, type) == 25, "vhost_iotlb_msg.type");
_Static_assert(sizeof(struct vhost_msg_v2) == 72, "vhost_msg_v2");
_Static_assert(offsetof(struct vhost_msg_v2, asid) == 4, "vhost_msg_v2.asid");
_Static_assert(offsetof(struct vhost_msg_v2, iotlb) == 8, "vhost_msg_v2.iotlb");
_Static_assert(offsetof(struct vhost_vdpa_config, len) == 4, "vhost_vdpa_config.len");
_Static_assert(offsetof(struct vhost_vdpa_config, buf) == 8, "vhost_vdpa_config.buf");
