// The numbers of VDUSE, under names Swift can import: function-like `_IO*` macros do not import. API version 0
// (include/uapi/linux/vduse.h, Linux 5.15 and later). What is encoded by hand is asserted to be what the compiler lays out.
#pragma once
#include <linux/ioctl.h>
#include <linux/types.h>
#include <linux/vduse.h>
#include <stddef.h>

// Of /dev/vduse/control.
static const unsigned long clinux_vduse_set_api_version = VDUSE_SET_API_VERSION;
static const unsigned long clinux_vduse_create_dev = VDUSE_CREATE_DEV;
static const unsigned long clinux_vduse_destroy_dev = VDUSE_DESTROY_DEV;

// Of /dev/vduse/NAME.
static const unsigned long clinux_vduse_iotlb_get_fd = VDUSE_IOTLB_GET_FD;
static const unsigned long clinux_vduse_dev_get_features = VDUSE_DEV_GET_FEATURES;
static const unsigned long clinux_vduse_dev_inject_config_irq = VDUSE_DEV_INJECT_CONFIG_IRQ;
static const unsigned long clinux_vduse_vq_setup = VDUSE_VQ_SETUP;
static const unsigned long clinux_vduse_vq_get_info = VDUSE_VQ_GET_INFO;
static const unsigned long clinux_vduse_vq_setup_kickfd = VDUSE_VQ_SETUP_KICKFD;
static const unsigned long clinux_vduse_vq_inject_irq = VDUSE_VQ_INJECT_IRQ;

_Static_assert(sizeof(struct vduse_dev_config) == 336, "vduse_dev_config");
_Static_assert(offsetof(struct vduse_dev_config, vendor_id) == 256, "vduse_dev_config.vendor_id");
_Static_assert(offsetof(struct vduse_dev_config, features) == 264, "vduse_dev_config.features");
_Static_assert(offsetof(struct vduse_dev_config, vq_num) == 272, "vduse_dev_config.vq_num");
_Static_assert(offsetof(struct vduse_dev_config, config_size) == 332, "vduse_dev_config.config_size");
_Static_assert(offsetof(struct vduse_dev_config, config) == 336, "vduse_dev_config.config");
_Static_assert(sizeof(struct vduse_vq_config) == 32, "vduse_vq_config");
_Static_assert(offsetof(struct vduse_vq_config, max_size) == 4, "vduse_vq_config.max_size");
_Static_assert(sizeof(struct vduse_vq_info) == 48, "vduse_vq_info");
_Static_assert(offsetof(struct vduse_vq_info, desc_addr) == 8, "vduse_vq_info.desc_addr");
_Static_assert(offsetof(struct vduse_vq_info, device_addr) == 24, "vduse_vq_info.device_addr");
_Static_assert(offsetof(struct vduse_vq_info, split) == 32, "vduse_vq_info.split");
_Static_assert(offsetof(struct vduse_vq_info, ready) == 40, "vduse_vq_info.ready");
_Static_assert(sizeof(struct vduse_vq_eventfd) == 8, "vduse_vq_eventfd");
_Static_assert(sizeof(struct vduse_iotlb_entry) == 32, "vduse_iotlb_entry");
_Static_assert(offsetof(struct vduse_iotlb_entry, perm) == 24, "vduse_iotlb_entry.perm");
_Static_assert(sizeof(struct vduse_dev_request) == 152, "vduse_dev_request");
_Static_assert(offsetof(struct vduse_dev_request, vq_state) == 24, "vduse_dev_request.vq_state");
_Static_assert(sizeof(struct vduse_dev_response) == 152, "vduse_dev_response");
_Static_assert(offsetof(struct vduse_dev_response, vq_state) == 24, "vduse_dev_response.vq_state");
_Static_assert(offsetof(struct vduse_vq_state, split) == 4, "vduse_vq_state.split");
