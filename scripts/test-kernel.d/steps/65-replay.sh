# shellcheck shell=bash
# Device scripts (docs/device-scripts.md): those of Tests/DeviceScriptsTests/Scripts that a kernel and device like these have
# answered, replayed; none of their answers may differ. `scripts/test` holds the simulation to the same answers. Then scripts
# that are made up, played here and on the simulation that stands for this device; what a million calls find, `test-kernel
# --random` has.

# shellcheck source=SCRIPTDIR/../random.sh
source "$(dirname "${BASH_SOURCE[0]}")/../random.sh"
SCRIPTS=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../../Tests/DeviceScriptsTests/Scripts")

# device_of_scripts: this device as scripts name it; how many entries it takes is nothing to them.
device_of_scripts() {
    # shellcheck disable=SC2153  # the guest has it
    local device=${DEVICE//,entries=24576/}
    echo "${device//:entries=24576/}"
}

# own_scripts: the scripts that name this kernel and device.
own_scripts() {
    # shellcheck disable=SC2153  # so is this
    grep -lxF -- "# real: $KERNEL $(device_of_scripts)" "$SCRIPTS"/*.script || true
}

check_scripts() {
    local file count=0 calls=0 answers
    while read -r file; do
        answers=$LOG/replay-$(basename "$file" .script)
        # shellcheck disable=SC2153  # so is this
        "$EMU" replay "$file" --device "$FILE" >"$answers" 2>&1 ||
            fail "$(basename "$file"): $(grep -m 1 -e DIFFERS -e 'emu:' "$answers" || tail -n 1 "$answers")"
        count=$((count + 1))
        calls=$((calls + $(grep -cv '^#' "$answers")))
    done < <(own_scripts)
    ((count > 0)) || fail "no script names $KERNEL $DEVICE"
    echo "$count scripts, $calls calls: none differs"
}

# A device of another kind has none.
if [[ -n $(own_scripts) ]]; then check "device scripts" check_scripts; fi

# configuration_bytes: what the device's configuration space holds, as digits.
configuration_bytes() {
    printf 'open\nGET_CONFIG offset=0 length=24\nclose\n' | "$EMU" replay - --device "$FILE" |
        sed -n 's/^GET_CONFIG.* -> bytes=//p'
}

# The same scripts on every kernel and device, and none of them the next day: the host has chosen the first seed. What differs is
# printed with the command that plays it again, in a VM of this kernel and device.
check_random() {
    local status=0 twin configuration wrong seed=${RANDOM_SEED:?the host chooses it}
    twin=$(<"$LOG/twin-spec")
    configuration=$(configuration_bytes)
    # Among the calls are those that write the configuration, which a device keeps: the steps that follow want it as it was.
    # shellcheck disable=SC2064  # as it is now
    trap "printf 'open\nSET_CONFIG offset=0 bytes=$configuration -> ok\nclose\n' | '$EMU' replay - --device '$FILE' >/dev/null" EXIT
    "$EMU" replay --json --random "$RANDOM_SCRIPTS" --seed "$seed" --device "$FILE" --against "$twin" \
        >"$LOG/random.json" 2>"$LOG/random.txt" || status=$?
    ((status <= 1)) || fail "emu replay ended with $status: $(tail -n 1 "$LOG/random.txt")"
    cat "$LOG/random.txt"
    wrong=$(random_differences "$LOG/random.json") || fail "random.json cannot be read"
    [[ -z $wrong ]] || printf '%s\n' "$wrong"
    # The row of a check that fails has the command as well.
    [[ -z $wrong ]] || fail "$(random_summary "$LOG/random.json"); first: $(head -n 1 <<<"$wrong")"
    ((status == 0)) || fail "emu replay ended with $status and names nothing that differs"
    random_summary "$LOG/random.json"
}

check "random calls" check_random
