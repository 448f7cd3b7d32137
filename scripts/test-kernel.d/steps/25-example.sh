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

# What QEMU's device does with a frame is no loop.
if is_sim; then check example check_example; fi
