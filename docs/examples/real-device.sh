#!/bin/bash
# The same on a real vDPA device: what it offers, a run with 100 stops and starts, and whether it obeys the kernel's rules.
#
#   real-device.sh [/dev/vhost-vdpa-N]
#
# Each command opens the device, which resets it: nobody else may be using it. Needs read and write permission on the
# file and a memlock limit of at least the guest's memory, which is 1 GiB unless DEVICE_MEMORY says otherwise; as root:
# prlimit --memlock=unlimited --pid PID-OF-THE-SHELL. Exit status: the highest of the three commands'.
set -u
emu=${EMU:-emu}
device=${1:-/dev/vhost-vdpa-0}
highest=0

# ask ARGUMENT…: what one command finds is no reason not to ask the next.
ask() {
    local status=0
    "$emu" "$@" || status=$?
    [ "$status" -le "$highest" ] || highest=$status
}

ulimit -l unlimited 2>/dev/null || echo "the memlock limit stays at $(ulimit -l) KiB" >&2
ask info --device "$device"
ask run --device "$device" --memory "${DEVICE_MEMORY:-1G}" --cycles 100
ask check --device "$device"
exit "$highest"
