# shellcheck shell=bash
# The table: a row per kernel, device and check.

start_table() {
    : >"$WORK/table"
    printf '%-6s  %-38s  %-34s  %-4s  %7s  %s\n' KERNEL DEVICE CHECK '' TIME SEEN >"$WORK/table"
}

# add_row KERNEL DEVICE CHECK pass|fail SECONDS SEEN
add_row() {
    case $4 in
        pass) passed=$((passed + 1)) ;;
        *) failed=$((failed + 1)) ;;
    esac
    printf '%-6s  %-38s  %-34s  %-4s  %5.1f s  %s\n' "$@" >>"$WORK/table"
}

print_table() { cat "$WORK/table"; }

# add_results KERNEL DEVICE FILE: the guest's lines, CHECK TAB pass|fail TAB SECONDS TAB SEEN.
add_results() {
    local check outcome seconds seen
    [[ -e $3 ]] || return 0
    while IFS=$'\t' read -r check outcome seconds seen; do
        add_row "$1" "$2" "$check" "$outcome" "$seconds" "$seen"
    done <"$3"
}

# add_vm_result KERNEL DEVICE FOLDER STATUS SECONDS: whether the guest came to its end, and the kernel's log.
add_vm_result() {
    local kernel=$1 device=$2 folder=$3 status=$4 seconds=$5 outcome=pass seen lines
    seen="every step ran"
    if ((status != 0)); then
        outcome=fail seen="exit status $status: $(tail -n 1 "$folder/errors")"
    elif [[ ! -s $folder/results ]]; then
        outcome=fail seen="no check ran: no step of these is for this device"
    fi
    add_row "$kernel" "$device" "the VM" "$outcome" "$seconds" "$seen"

    outcome=pass seen="no warning, no DMAR fault"
    if [[ ! -s $folder/dmesg ]]; then
        outcome=fail seen="there is none"
    elif ! lines=$("$VM" scan "$folder/dmesg"); then
        outcome=fail seen="$(head -n 1 <<<"$lines")"
        printf '%s\n' "$lines" >&2
    fi
    add_row "$kernel" "$device" "kernel log" "$outcome" 0 "$seen"
    # What failed checks printed, and what the VM itself had to say.
    cat "$folder/errors" >&2
}
