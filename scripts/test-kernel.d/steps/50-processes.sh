# shellcheck shell=bash
# Other processes: one that holds the device, one that is killed in the middle of a cycle.

check_held() {
    local status=0
    exec 9<>"$FILE"
    emu_run held --cycles 1 || status=$?
    exec 9>&-
    ((status == 2)) || fail "emu run ended with $status instead of 2 while another process held the device"
    says held "another process holds the device" "$FILE"
    must_run released --cycles 1
    echo "exit 2 with its reason; once it is released emu run ends with 0"
}

# killed_at POLICY NAME N: a run that SIGKILL ends as it enters its Nth call NAME (an ioctl, a message) on the device,
# and after it a fresh one at once.
killed_at() {
    kill_at "$@"
    must_run after-kill --cycles 2 --interval 5ms --persist "$1"
    await_unpinned
}

# Where a cycle is cut in two: after the reset and before DRIVER_OK; with maps half gone, and half made.
check_killed() {
    local policy=$1 sections middle
    # The first start's two queues have their addresses with the calls 1 and 2.
    killed_at "$policy" VHOST_SET_VRING_ADDR 4
    if keeps_maps "$policy"; then
        killed_at "$policy" VHOST_SET_FEATURES 2
        echo "2 runs killed between reset and start, maps kept; each followed at once by one that ends with 0"
        return
    fi
    sections=$(calls "$(calls_of "$policy")" | sed '/VHOST_SET_VRING_ADDR/,$d' | count UPDATE)
    middle=$(((sections + 1) / 2))
    killed_at "$policy" INVALIDATE "$middle"
    killed_at "$policy" UPDATE $((sections + middle))
    echo "3 runs killed: before a start, while unmapping, while mapping; each followed at once by one that ends with 0"
}

check "another process holds it" check_held
check "SIGKILL in a cycle, persist auto" check_killed auto
check "SIGKILL in a cycle, persist off" check_killed off
