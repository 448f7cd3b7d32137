# shellcheck shell=bash
# What a machine allows: locked memory, IOTLB entries.

# A limit of an eighth of the memory. A refusal says how much, of what, and the command that helps, which does.
check_memlock() {
    local status=0 command
    (ulimit -l 8192; emu_run memlock --cycles 1) || status=$?
    if ! pins; then
        ((status == 0)) || fail "nothing is pinned, and emu run ended with $status"
        echo "nothing is pinned: a limit of 8 MiB does not matter"
        return
    fi
    ((status == 2)) || fail "emu run ended with $status instead of 2"
    says memlock "locked memory: all guest memory takes " "8388608 bytes (8 MiB)" RLIMIT_MEMLOCK
    await_unpinned
    # shellcheck disable=SC2016  # backquotes, as emu prints them
    command=$(grep -o '`ulimit -l [0-9]*`' "$LOG/memlock.txt" | tr -d '`') || fail "no command is named"
    ulimit -l 8192
    eval "$command"
    must_run memlock-raised --cycles 1
    await_unpinned
    echo "exit 2 at 8 MiB with its reason; after its own '$command' it runs"
}

# with_fragments FUNCTION: runs it while free memory lies in single pages: a gigabyte of them, between as many
# that are taken. The allocator hands out the smallest pieces first.
with_fragments() {
    coproc HOLDER { "$PROBES/fragment" $((2 << 30)); }
    local input=${HOLDER[1]} line
    read -r line <&"${HOLDER[0]}" || fail "memory could not be fragmented"
    [[ $line == ready ]] || fail "memory could not be fragmented: $line"
    "$@"
    eval "exec $input>&-"
    wait
}

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
    # shellcheck disable=SC2034  # what emu_run takes
    local MEMORY=1G
    set_entries "$ENTRIES_DEFAULT"
    with_fragments refuse_fragments
    set_entries "$ENTRIES_PLENTY"
    with_fragments map_fragments
    # The steps after this one find the device as its VM was asked for.
    set_entries "$(own_entries)"
    await_unpinned
    if pins; then
        echo "1 GiB in single pages: exit 2 at $ENTRIES_DEFAULT entries with its reason, mapped in one batch at" \
            "$ENTRIES_PLENTY (the kernel itself keeps $(<"$LOG/lost-pages") page pinned of what it refused)"
    else
        echo "1 GiB in single pages: an entry per section, mapped in one batch at $ENTRIES_DEFAULT and at $ENTRIES_PLENTY"
    fi
}

refuse_fragments() {
    local status=0
    emu_run fragmented --cycles 0 --packets 100 || status=$?
    if ! pins; then
        ((status == 0)) || fail "nothing is pinned, and emu run ended with $status"
        return
    fi
    ((status == 2)) || fail "1 GiB at $ENTRIES_DEFAULT entries: emu run ended with $status instead of 2"
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

check "memlock refused, then raised" check_memlock
# A gigabyte page by page is slow in a VM without KVM. Where pages are pinned and how entries are counted does not
# depend on batch_mapping; less memory, as scattered, is among the regression tests of every device.
case $KERNEL/$DEVICE in
    6.12/vdpasim*batch=1* | 6.12/vp_vdpa* | 6.1/vdpasim*batch=1*) check "fragmented gigabyte" check_fragmented ;;
esac
