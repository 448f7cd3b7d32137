#!/bin/bash
# The same on a real vDPA device: what it offers, whether it obeys the kernel's rules, and a run with 100 stops and starts.
#
#   real-device.sh [/dev/vhost-vdpa-N]
#
# Each command opens the device, which resets it: nobody else may be using it. Needs read and write permission on the
# file and a memlock limit of at least the guest's memory.
set -eu
emu=${EMU:-emu}
device=${1:-/dev/vhost-vdpa-0}

ulimit -l unlimited || echo "the memlock limit stays at $(ulimit -l) KiB" >&2
"$emu" info --device "$device"
"$emu" check --device "$device"
"$emu" run --device "$device" --memory 1G --cycles 100
