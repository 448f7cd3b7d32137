# shellcheck shell=bash
# What emu run does to this device, written down with every answer, and played on the simulation that stands for it and
# on the device itself: no answer differs. One answer that was changed does.

check_recording() {
    local twin script=$LOG/run.script
    # shellcheck source=SCRIPTDIR/../twin.sh
    twin=$(source "$here/../twin.sh" && twin_of "$KERNEL" "$DEVICE")
    must_end recording --cycles 3 --interval 20ms --record "$script"
    await_unpinned
    "$EMU" replay "$script" --device "$twin" >"$LOG/recording-twin.script" ||
        fail "differs from $twin: $(grep -m 1 DIFFERS "$LOG/recording-twin.script")"
    "$EMU" replay "$script" --device "$FILE" >"$LOG/recording-again.script" ||
        fail "differs when played again: $(grep -m 1 DIFFERS "$LOG/recording-again.script")"
    await_unpinned
    sed 's/^GET_VQS_COUNT -> .*/GET_VQS_COUNT -> 99/' "$script" >"$LOG/changed.script"
    ! "$EMU" replay "$LOG/changed.script" --device "$twin" >"$LOG/recording-changed.script" ||
        fail "an answer that was changed is no difference"
    [[ $(grep -c DIFFERS "$LOG/recording-changed.script") == 1 ]] ||
        fail "not one difference where one answer was changed"
    tail -n 1 "$LOG/recording-twin.script"
}

check "recording" check_recording
