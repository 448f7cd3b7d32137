# shellcheck shell=bash
# What a device allows: IOTLB entries, of which memory in single pages takes one each. The last step: memory does not
# come back from it as it was, and what a rule or a test asks of a device may need neighbouring pages.

# scatter_memory: free memory lies in single pages from here on, until the module goes (kernel-vm's, see docs/kernel-vm.md).
# The allocator, asked for one page at a time, then has hardly any neighbours to give.
scatter_memory() {
    # What earlier steps have read and written is not to be taken back page by page while a gigabyte is asked for.
    sync
    echo 3 >/proc/sys/vm/drop_caches
    modprobe scatter_memory
    # Free pages that stand alone, and those in larger blocks: a few of these are left for the kernel's own needs.
    local single larger
    read -r single larger < <(awk '{ single += $5; for (i = 6; i <= NF; i++) larger += $i * 2 ^ (i - 5) }
        END { print single, larger }' /proc/buddyinfo)
    echo "$single single pages are free, $larger in larger blocks"
    ((single > GIGABYTE_PAGES && larger < GIGABYTE_PAGES / 8)) ||
        fail "memory is not scattered: $single single pages are free, $larger in larger blocks"
}

GIGABYTE_PAGES=$(((1 << 30) / 4096))

# set_entries N: max_iotlb_entries of vhost_vdpa and of vdpa_sim; the device's other parameters stay.
set_entries() {
    local options=${DEVICE#*:} option arguments=()
    for option in ${options//,/ }; do
        [[ $option != *batch=* && $option != use_va=* ]] || arguments+=("$option")
    done
    kernel-vm-device remake "${arguments[@]}" "entries=$1"
}

# own_entries: the limit that DEVICE names, else the kernel's own.
own_entries() {
    [[ $DEVICE =~ entries=([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo "$ENTRIES_DEFAULT"
}

ENTRIES_DEFAULT=2048
ENTRIES_PLENTY=300000

check_fragmented() {
    local MEMORY=1G
    # What comes after this finds memory in larger blocks again, and the entries that the VM was asked for.
    trap 'rmmod scatter_memory; set_entries "$(own_entries)"' EXIT
    set_entries "$ENTRIES_DEFAULT"
    scatter_memory
    refuse_fragments
    set_entries "$ENTRIES_PLENTY"
    map_fragments
    await_unpinned
    if pins; then
        echo "$MEMORY in single pages: exit 2 at $ENTRIES_DEFAULT entries with its reason, mapped in one batch at" \
            "$ENTRIES_PLENTY (the kernel itself keeps $(<"$LOG/lost-pages") page pinned of what it refused)"
    else
        echo "$MEMORY in single pages: an entry per section, mapped in one batch at $ENTRIES_DEFAULT and at $ENTRIES_PLENTY"
    fi
}

refuse_fragments() {
    local status=0
    emu_run fragmented --cycles 0 --packets 100 || status=$?
    if ! pins; then
        ((status == 0)) || fail "nothing is pinned, and emu run ended with $status"
        return
    fi
    ((status == 2)) || fail "$MEMORY at $ENTRIES_DEFAULT entries: emu run ended with $status instead of 2"
    says fragmented "max_iotlb_entries" "is $ENTRIES_DEFAULT" "modprobe vhost_vdpa max_iotlb_entries="
    expect_lost_pages
}

map_fragments() {
    strace_emu "$LOG/fragmented.strace" --cycles 0 --packets 100 >"$LOG/fragmented-raised.json"
    report fragmented-raised '.packets.received == 100 and .problems == []' packets
    local begins
    begins=$(calls "$LOG/fragmented.strace" | sed '/VHOST_SET_VRING_ADDR/,$d' | count BATCH_BEGIN)
    ((begins == 1)) || fail "mapped in $begins batches"
}

# A gigabyte page by page is slow in a VM without KVM. Where pages are pinned and how entries are counted does not
# depend on batch_mapping, nor behind the platform's IOMMU on the kernel; less memory, as scattered, is among the regression
# tests of every device.
case $DEVICE/$KERNEL_DEFAULT in
    vdpasim*batch=1* | vp_vdpa*/yes) check "fragmented memory" check_fragmented ;;
esac
