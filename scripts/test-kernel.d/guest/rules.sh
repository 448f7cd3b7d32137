# shellcheck shell=bash
# Every rule of vhost-vdpa, asked of a device and of the simulation that stands for it (by ../twin.sh, before the VM was
# started): each is asked, none may fail, and no outcome may differ. What may differ all the same is named in `explained`,
# with the reason. All of it reads and writes in $LOG.

# explained NUMBER OUTCOME SIMULATED: prints why these outcomes differ, or fails.
explained() {
    case $1/$2/$3 in
        10/passed/notApplicable) echo "a simulated device is no descriptor that could be read or polled" ;;
        *) return 1 ;;
    esac
}

# ask_rules: the outcome of every rule on the device, in conformance.json. Rule 57 needs a limit of locked memory.
ask_rules() {
    local status=0
    ulimit -l 8192
    "$EMU" check --json --device "$FILE" >"$LOG/conformance.json" 2>"$LOG/conformance.txt" || status=$?
    # 1 says that something was found wrong, which is for the comparison to tell.
    ((status <= 1)) || fail "emu check ended with $status: $(tail -n 1 "$LOG/conformance.txt")"
}

# Each rule whose outcomes differ on a line: number, real outcome, simulated outcome, what was seen of either. Then how many were
# compared. Fails where either side has no report, or no rule in it: nothing is equal to nothing.
differences() {
    gojq -rn --slurpfile real "$LOG/conformance.json" --slurpfile simulated "$LOG/conformance-twin.json" '
        def seen: .seen // .reason // "-";
        def by_number($whose):
            if length == 1 and (.[0].rules | type) == "array" and (.[0].rules | length) > 0
            then .[0].rules | map({key: "\(.number)", value: .}) | from_entries
            else error("\($whose) has left no rules") end;
        ($real | by_number("the device")) as $device | ($simulated | by_number("the simulation")) as $twin
        | [$device, $twin | keys[]] | unique | sort_by(tonumber)
        | (.[] as $number
            | ($device[$number].outcome // "missing") as $outcome | ($twin[$number].outcome // "missing") as $other
            | select($outcome != $other or $outcome == "missing")
            | [$number, $outcome, $other, ($device[$number] // {} | seen), ($twin[$number] // {} | seen)] | @tsv),
          "compared\t\(length)"'
}

# Whoever calls it may do so in a condition, where no command that fails ends it: each that must not fail says so.
check_conformance() {
    local number outcome other seen simulated reason summary compared=0 different=0 known=0
    (ask_rules) || exit 1
    differences >"$LOG/differences" 2>"$LOG/differences.err" ||
        fail "the rules were not compared: $(tail -n 1 "$LOG/differences.err")"
    while IFS=$'\t' read -r number outcome other seen simulated; do
        if [[ $number == compared ]]; then
            compared=$outcome
        elif reason=$(explained "$number" "$outcome" "$other"); then
            known=$((known + 1))
            echo "rule $number: $outcome on the device, $other in the simulation: $reason"
        else
            different=$((different + 1))
            echo "rule $number DIFFERS: $outcome on the device ($seen), $other in the simulation ($simulated)"
        fi
    done <"$LOG/differences"
    ((compared > 0)) || fail "the rules were not compared: nobody says how many there are"
    gojq -r '(.rules[]
            | select(.outcome == "failed") | "rule \(.number) FAILED: \(.expected); seen: \(.seen)"),
        (.rules[] | select(.outcome == "notAsked") | "rule \(.number) COULD NOT BE ASKED: \(.reason)"),
        (.problems[] | "WRONG: \(.)")' "$LOG/conformance.json" || fail "conformance.json cannot be read"
    summary=$(gojq -r '"\(.passed) passed, \(.notApplicable) not applicable, \(.notAsked) could not be asked, "
        + "\(.failed) failed" + if .notRun > 0 then ", \(.notRun) not run" else "" end' "$LOG/conformance.json") ||
        fail "conformance.json cannot be read"
    summary+="; of $compared compared $known explained, $different different from $(<"$LOG/twin-spec")"
    echo "$summary"
    # A rule that could not be asked is equal to one of the simulation that could not: equal says nothing then.
    ((different == 0)) &&
        gojq -e '.failed + .notAsked + .notRun + (.problems | length) == 0' "$LOG/conformance.json" >/dev/null || exit 1
}

# What a device says of itself, its profile says word for word.
check_twin_info() {
    local difference
    "$EMU" info --json --device "$FILE" >"$LOG/info-of-device.json" || fail "emu info fails"
    # An object without its device's name is never empty: an answer that is missing is no answer that is the same.
    gojq -e 'del(.device)' "$LOG/info-of-device.json" >"$LOG/twin-info-real" && [[ -s $LOG/twin-info-real ]] ||
        fail "emu info says nothing of the device"
    gojq -e 'del(.device)' "$LOG/twin-info.json" >"$LOG/twin-info-simulated" && [[ -s $LOG/twin-info-simulated ]] ||
        fail "emu info says nothing of $(<"$LOG/twin-spec")"
    difference=$(diff "$LOG/twin-info-real" "$LOG/twin-info-simulated") ||
        fail "differs from $(<"$LOG/twin-spec"): $difference"
    echo "the same as $(<"$LOG/twin-spec")"
}
