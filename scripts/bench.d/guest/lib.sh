# shellcheck shell=bash
# What the scripts of a benchmark share inside the VM. The device is the first one.

device=/dev/vhost-vdpa-0

# fast_strategies EMU: those that touch no maps, a word each: vp_vdpa can neither suspend nor resume.
fast_strategies() {
    local facts
    facts=$("$1" info --device $device --json 2>/dev/null)
    echo persist
    [[ $facts != *'"RESUME"'* ]] || echo resume
}

# worker OPTION…: changes how the simulator's worker is scheduled; there is none with vp_vdpa.
worker() {
    local task name
    for task in /proc/[0-9]*; do
        { read -r name <"$task/comm"; } 2>/dev/null || continue
        [[ $name != "vDPA sim worker"* ]] || "$@" "${task##*/}" >/dev/null
    done
}
