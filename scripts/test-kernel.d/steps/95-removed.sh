# shellcheck shell=bash
# The device is removed while emu has it: `vdpa dev del` waits for the close with generic netlink's lock held
# (genl_mutex), so emu has to notice by itself, close, and ask nothing over netlink meanwhile. Last of the steps: a host
# that is locked stays so.

# holds PROCESS: whether it has the device open.
holds() {
    local link
    for link in /proc/"$1"/fd/*; do
        [[ $(readlink "$link") != "$FILE"* ]] || return 0
    done
    return 1
}

# within SECONDS PROCESS: waits until it has ended.
within() {
    local tries
    for ((tries = 0; tries < $1 * 10; tries++)); do
        [[ -e /proc/$2 && $(awk '{ print $3 }' "/proc/$2/stat" 2>/dev/null) != Z ]] || return 0
        sleep 0.1
    done
    return 1
}

# check_removed NAME ARGUMENT...: an emu that would go on for a minute.
check_removed() {
    local name=removed-$1 emu del begin status=0
    shift
    # What an earlier check of these left behind.
    [[ -e $FILE ]] || kernel-vm-device make
    "$EMU" "$@" --device "$FILE" >"$LOG/$name.out" 2>"$LOG/$name.txt" &
    emu=$!
    until holds "$emu"; do
        [[ -e /proc/$emu ]] || fail "emu ended before the device was removed: $(tail -n 1 "$LOG/$name.txt")"
    done
    # In the middle of its work, not of its start.
    [[ $1 == check ]] || sleep 1
    begin=$EPOCHREALTIME
    vdpa dev del vdpa0 &
    del=$!
    within 20 "$emu" || fail "emu goes on 20 s after its device was removed: $(tail -n 1 "$LOG/$name.txt")"
    within 10 "$del" || fail "vdpa dev del has not ended, emu has"
    wait "$del" || fail "vdpa dev del failed"
    wait "$emu" || status=$?
    # What would wait for the lock in vain may not be waited for.
    timeout 10 vdpa mgmtdev show >/dev/null & del=$!
    within 10 "$del" || fail "vdpa does not answer: generic netlink is locked"
    wait "$del" || fail "vdpa does not answer"
    ((status == 1)) || fail "emu ended with $status instead of 1: $(tail -n 1 "$LOG/$name.txt")"
    grep -qE 'emu: .*(removed|went away|is gone)' "$LOG/$name.txt" ||
        fail "no word of the device's removal: $(tail -n 1 "$LOG/$name.txt")"
    kernel-vm-device make
    await_unpinned
    must_run "$name-after" --cycles 1
    echo "emu ended with 1 after $(seconds_since "$begin") s and said why; vdpa answers; made again, emu runs"
}

# The refused maps of the steps before this one have left what the kernel loses; nothing more may come to it here.
expect_lost_pages
check "vdpa dev del during run" check_removed run run --memory "$MEMORY" --duration 60s --interval 50ms
check "vdpa dev del during check" check_removed check check
check "vdpa dev del during cycle" check_removed cycle cycle --memory "$MEMORY" --cycles 100000 --strategy remap
