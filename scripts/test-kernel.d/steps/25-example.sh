# shellcheck shell=bash
# The first program of Examples/, which has emu's products alone: a frame out and back, a stop and a start, another one.

check_example() {
    local maps=unmapped
    ! keeps_maps auto || maps=kept
    "$EXAMPLE" "$FILE"
    [[ $(grep -c "^round .* bytes out and back, maps $maps after the stop$" "$LOG/example.out") == 2 ]] ||
        fail "not two frames out and back with maps $maps: $(tail -n 1 "$LOG/example.out")"
    await_unpinned
    tail -n 1 "$LOG/example.out"
}

# The script that docs/examples has for a real device; what the rules' outcomes are to be is 60-conformance's.
check_script() {
    local status=0 verdict
    EMU=$EMU DEVICE_MEMORY=$MEMORY bash "$here/../../../docs/examples/real-device.sh" "$FILE" || status=$?
    # A rule that this kernel does not obey is status 1, and the run comes all the same.
    ((status <= 1)) || fail "real-device.sh ended with $status"
    verdict=$(grep -m 1 -E '^(OK|NOT SHOWN|WRONG)' "$LOG/example-script.out") || fail "real-device.sh: the run has no verdict"
    [[ $verdict == OK* ]] || fail "real-device.sh: $verdict"
    await_unpinned
    echo "$verdict"
}
# On one device that pins: it takes half a minute.
if [[ $DEVICE == vdpasim:use_va=0,batch=1* ]]; then check "example script" check_script; fi

# What QEMU's device does with a frame is no loop.
if is_sim; then check example check_example; fi
