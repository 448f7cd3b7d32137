# shellcheck shell=bash
# Device specifications: from the command line to QEMU's arguments, the kernel's command line and the
# orders the guest carries out. To add a kind of device: a function device_KIND here that appends to
# these three, and an order in guest/devices.sh that creates it. docs/kernel-vm.md has an example.

VM_QEMU_DEVICES=()    # QEMU arguments
VM_KERNEL_ARGUMENTS=() # the kernel's command line
VM_ORDERS=()          # lines for the guest: `modules NAME=VALUE...`, then one line a device
VM_SIM_OPTIONS=       # the options of the simulators named so far: they are the module's, so one for all
VM_ENTRIES=           # likewise max_iotlb_entries
VM_PCI_SLOT=16        # the next free slot on the PCI bus; QEMU's own devices take those below

# Beside a device, "none" leaves nothing to do: the modules are loaded in any case.
device_none() { :; }

# plan_devices KERNEL RUN_FOLDER SPEC...: fills the lists above. The kernel is the one whose facts are loaded.
plan_devices() {
    local kernel=$1 folder=$2 spec kind
    shift 2
    for spec in "$@"; do
        kind=${spec%%:*}
        declare -F "device_$kind" >/dev/null ||
            die "no device '$spec': vdpasim[:OPTIONS], vp_vdpa[:OPTIONS] or none"
        parse_options "$spec"
        "device_$kind" "$kernel" "$folder" "$spec"
    done
    VM_ORDERS=("vhost_vdpa ${VM_ENTRIES:+max_iotlb_entries=$VM_ENTRIES}" "${VM_ORDERS[@]}")
}

declare -A VM_OPTIONS

# parse_options KIND[:NAME=VALUE,...]: into VM_OPTIONS.
parse_options() {
    local spec=$1 option options=()
    VM_OPTIONS=()
    [[ $spec == *:* ]] || return 0
    IFS=, read -r -a options <<<"${spec#*:}"
    for option in "${options[@]}"; do
        [[ $option == ?*=?* ]] || die "device '$spec': '$option' is not NAME=VALUE"
        VM_OPTIONS[${option%%=*}]=${option#*=}
    done
}

# check_options SPEC NAME...: refuses what this kind of device has no option for, and bad values.
check_options() {
    local spec=$1 name
    shift
    for name in "${!VM_OPTIONS[@]}"; do
        [[ " $* " == *" $name "* ]] || die "device '$spec' has no option '$name': $*"
        check_option "$spec" "$name" "${VM_OPTIONS[$name]}"
    done
}

check_option() {
    local spec=$1 name=$2 value=$3 pattern
    case $name in
        use_va | batch) pattern='^[01]$' ;;
        entries) pattern='^[1-9][0-9]*$' ;;
        mac) pattern='^([0-9a-f]{2}:){5}[0-9a-f]{2}$' ;;
    esac
    [[ $value =~ $pattern ]] || die "device '$spec': '$value' is no value for $name"
}

# The limit is a parameter of modules, not of a device.
share_entries() {
    local spec=$1 entries=${VM_OPTIONS[entries]:-}
    [[ -z $entries || -z $VM_ENTRIES || $entries == "$VM_ENTRIES" ]] ||
        die "device '$spec': entries is $VM_ENTRIES already, and is the same for every device"
    VM_ENTRIES=${entries:-$VM_ENTRIES}
}

default_mac() { printf '52:54:00:12:34:%02x' $((0x56 + ${#VM_ORDERS[@]})); }

# The kernel's own software device: it hands a sent frame to its own receive queue.
device_vdpasim() {
    local kernel=$1 spec=$3 parameters=''
    check_options "$spec" use_va batch entries mac
    [[ $KERNEL_HAS_USE_VA == yes || ${VM_OPTIONS[use_va]:-0} == 0 ]] ||
        die "device '$spec': the vdpa_sim of $kernel has no use_va"
    share_entries "$spec"
    [[ $KERNEL_HAS_USE_VA == no || -z ${VM_OPTIONS[use_va]:-} ]] || parameters+=" use_va=${VM_OPTIONS[use_va]}"
    [[ -z ${VM_OPTIONS[batch]:-} ]] || parameters+=" batch_mapping=${VM_OPTIONS[batch]}"
    [[ -z $VM_SIM_OPTIONS || $VM_SIM_OPTIONS == "sim$parameters" ]] ||
        die "device '$spec': use_va and batch are the same for every vdpasim"
    VM_SIM_OPTIONS=sim$parameters
    VM_ORDERS+=("sim mac=${VM_OPTIONS[mac]:-$(default_mac)} entries=${VM_OPTIONS[entries]:-}$parameters")
}

# A virtio-net device on the PCI bus behind VT-d, passed on by vp_vdpa. Its network is a datagram
# socket connected to itself: every frame sent comes back. A unix socket loses none, it makes QEMU wait.
device_vp_vdpa() {
    local folder=$2 spec=$3 slot network
    check_options "$spec" entries mac
    share_entries "$spec"
    printf -v slot '%02x' "$((VM_PCI_SLOT++))"
    network=$folder/network-$slot
    if [[ " ${VM_KERNEL_ARGUMENTS[*]:-} " != *" intel_iommu=on "* ]]; then
        VM_KERNEL_ARGUMENTS+=(intel_iommu=on)
        VM_QEMU_DEVICES+=(-device 'intel-iommu,intremap=off,aw-bits=48')
    fi
    VM_QEMU_DEVICES+=(
        -netdev "dgram,id=net$slot,local.type=unix,local.path=$network,remote.type=unix,remote.path=$network"
        -device "virtio-net-pci,netdev=net$slot,disable-legacy=on,iommu_platform=on,addr=0x$slot,mac=${VM_OPTIONS[mac]:-$(default_mac)}"
    )
    VM_ORDERS+=("vp_vdpa 0000:00:$slot.0")
}
