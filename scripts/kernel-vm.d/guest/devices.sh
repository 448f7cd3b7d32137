# shellcheck shell=bash
# Devices in the guest, from the orders that the host side wrote. Also used by bin/kernel-vm-device.

VDPA_BUS=/sys/bus/vdpa
VDPA_ORDERS=/run/vdpa-orders

# make_devices: stops at the first order that fails.
make_devices() {
    local order arguments number=0
    while read -r order arguments; do
        # shellcheck disable=SC2086  # the arguments are words
        case $order in
            vhost_vdpa) load_modules $arguments ;;
            sim) make_sim "vdpa$((number++))" $arguments ;;
            vp_vdpa) make_vp_vdpa "vdpa$((number++))" $arguments ;;
            *) echo "no order '$order'"; false ;;
        esac || return 1
    done <"$VDPA_ORDERS"
}

# load_modules [PARAMETER=VALUE...]: what is there whatever the devices; the parameters are vhost_vdpa's.
load_modules() {
    modprobe vhost_vdpa "$@" && modprobe vduse
}

# make_sim NAME mac=MAC entries=N PARAMETER=VALUE...: the first one's parameters are the module's.
make_sim() {
    local name=$1 mac=${2#mac=} entries=${3#entries=}
    shift 3
    modprobe vdpa_sim ${entries:+"max_iotlb_entries=$entries"} "$@" &&
        modprobe vdpa_sim_net &&
        vdpa dev add mgmtdev vdpasim_net name "$name" mac "$mac" &&
        bind_vdpa vhost_vdpa "$name"
}

# make_vp_vdpa NAME ADDRESS: takes the PCI device from virtio-pci, to which it came first.
make_vp_vdpa() {
    local name=$1 address=$2 pci=/sys/bus/pci/devices/$2
    modprobe vp_vdpa || return 1
    echo vp-vdpa >"$pci/driver_override"
    [[ ! -e $pci/driver ]] || echo "$address" >"$pci/driver/unbind"
    echo "$address" >/sys/bus/pci/drivers_probe
    vdpa dev add mgmtdev "pci/$address" name "$name" && bind_vdpa vhost_vdpa "$name"
}

# Nothing in the guest loads a driver because a device has appeared.
load_driver() {
    case $1 in
        virtio_vdpa) modprobe -a virtio_vdpa virtio_net virtio_blk ;;
        *) modprobe "$1" ;;
    esac
}

# bind_vdpa DRIVER NAME: vhost_vdpa makes /dev/vhost-vdpa-N, virtio_vdpa a device of Linux's own.
bind_vdpa() {
    local driver=$1 name=$2 device=$VDPA_BUS/devices/$2
    [[ -e $device ]] || { echo "no vDPA device '$name'"; return 1; }
    load_driver "$driver" || return 1
    echo "$driver" >"$device/driver_override"
    if [[ ! $device/driver -ef $VDPA_BUS/drivers/$driver ]]; then
        [[ ! -e $device/driver ]] || echo "$name" >"$device/driver/unbind" || return 1
        echo "$name" >"$VDPA_BUS/drivers_probe" || return 1
    fi
    [[ $device/driver -ef $VDPA_BUS/drivers/$driver ]] || { echo "$name did not bind to $driver"; return 1; }
}

# face_of NAME: what programs open of the device: /dev/vhost-vdpa-N, or a network interface. Linux's
# own device stands below the one that does the DMA: the vDPA device itself, or its parent.
face_of() {
    local device path
    device=$(readlink -f "$VDPA_BUS/devices/$1")
    for path in "$device"/vhost-vdpa-*; do
        [[ ! -e $path ]] || echo "/dev/${path##*/}"
    done
    for path in "$device"/virtio*/net/* "${device%/*}"/virtio*/net/*; do
        [[ ! -e $path ]] || echo "${path##*/}"
    done
}

# remake_devices [use_va=0|1] [batch=0|1] [entries=N]: the modules loaded anew, with these parameters
# and the kernel's defaults for the rest, and every device made again. Waits for whoever has one open.
remake_devices() {
    local option simulator='' entries=''
    for option in "$@"; do
        case $option in
            use_va=[01]) simulator+=" $option" ;;
            batch=[01]) simulator+=" batch_mapping=${option#*=}" ;;
            entries=[1-9]*) entries=${option#*=} ;;
            *) echo "no option '$option': use_va=0|1, batch=0|1, entries=N"; return 1 ;;
        esac
    done
    remove_devices || return 1
    sed -i -e "s/^vhost_vdpa.*/vhost_vdpa ${entries:+max_iotlb_entries=$entries}/" \
        -e "s/^\(sim mac=[^ ]*\).*/\1 entries=$entries$simulator/" "$VDPA_ORDERS"
    make_devices
}

remove_devices() {
    local device module
    for device in "$VDPA_BUS"/devices/*; do
        [[ ! -e $device ]] || vdpa dev del "${device##*/}" || return 1
    done
    for module in vdpa_sim_net vdpa_sim_blk vdpa_sim vhost_vdpa; do
        [[ ! -e /sys/module/$module ]] || rmmod "$module" || return 1
    done
}
