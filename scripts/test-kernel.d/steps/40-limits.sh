# shellcheck shell=bash
# What a machine allows: locked memory. (IOTLB entries: 90-fragments.sh.)

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

check "memlock refused, then raised" check_memlock
