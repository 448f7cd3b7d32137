# shellcheck shell=bash
# Every rule of vhost-vdpa, asked of this device and of the simulation that stands for it: none may fail, and no
# outcome may differ. What may differ all the same is named in `explained`, with the reason.

# twin: the simulated device with the same kernel, parent and parameters.
twin() {
    local name=${DEVICE%%:*} option spec=sim,kernel=$KERNEL parent=set-map
    local options=${DEVICE#"$name"}
    if [[ $name == vp_vdpa ]]; then
        parent=vp-vdpa
    else
        spec+=,profile=vdpasim-net
    fi
    while read -r option; do
        case $option in
            batch=0) parent=dma-map ;;
            use_va=0) spec+=,use-va=off ;;
            use_va=1) spec+=,use-va=on ;;
            # 6.1 does not count entries.
            entries=*) [[ $KERNEL == 6.1 ]] || spec+=,$option ;;
        esac
    done < <(tr ',' '\n' <<<"${options#:}")
    echo "$spec,parent=$parent"
}

# explained NUMBER OUTCOME SIMULATED: prints why these outcomes differ, or fails.
explained() {
    case $1/$2/$3 in
        10/passed/notApplicable) echo "a simulated device is no descriptor that could be read or polled" ;;
        *) return 1 ;;
    esac
}

# check_rules_of SPEC NAME: the outcome of every rule, in $LOG/NAME.json. Rule 57 needs a limit of locked memory.
check_rules_of() {
    local status=0
    ulimit -l 8192
    "$EMU" check --json --device "$1" >"$LOG/$2.json" 2>"$LOG/$2.txt" || status=$?
    # 1 says that a rule failed, which is for the comparison to tell.
    ((status <= 1)) || fail "emu check --device $1 ended with $status: $(tail -n 1 "$LOG/$2.txt")"
}

# Each differing rule on a line: number, real outcome, simulated outcome, what was seen of either.
differences() {
    jq -rn --slurpfile real "$LOG/conformance.json" --slurpfile simulated "$LOG/conformance-twin.json" '
        def seen: .seen // .reason // "-";
        ($simulated[0].rules | map({key: "\(.number)", value: .}) | from_entries) as $twin
        | $real[0].rules[] | . as $rule
        | ($twin["\(.number)"] // {outcome: "missing"}) as $other
        | select(.outcome != $other.outcome)
        | [.number, .outcome, $other.outcome, seen, ($other | seen)] | @tsv'
}

check_conformance() {
    local spec number outcome other seen simulated reason different=0 known=0 simulation
    spec=$(twin)
    (check_rules_of "$spec" conformance-twin) &
    simulation=$!
    (check_rules_of "$FILE" conformance)
    wait "$simulation" || fail "the simulation $spec could not be asked: $(tail -n 1 "$LOG/conformance-twin.txt")"
    while IFS=$'\t' read -r number outcome other seen simulated; do
        if reason=$(explained "$number" "$outcome" "$other"); then
            known=$((known + 1))
            echo "rule $number: $outcome on the device, $other in the simulation: $reason"
        else
            different=$((different + 1))
            echo "rule $number DIFFERS: $outcome on the device ($seen), $other in the simulation ($simulated)"
        fi
    done < <(differences)
    jq -r '.rules[] | select(.outcome == "failed") | "rule \(.number) FAILED: \(.expected); seen: \(.seen)"' \
        "$LOG/conformance.json"
    local summary
    summary=$(jq -r '"\(.passed) passed, \(.notApplicable) not applicable, \(.failed) failed"' "$LOG/conformance.json")
    summary+="; $known explained, $different different from $spec"
    echo "$summary"
    ((different == 0)) && [[ $(jq .failed "$LOG/conformance.json") == 0 ]] || exit 1
}

# What vdpa_sim_net says of itself, its profile says word for word. vp_vdpa shows the features of whatever is behind it.
check_twin_info() {
    local spec difference
    spec=$(twin)
    "$EMU" info --json --device "$FILE" | jq -S 'del(.device)' >"$LOG/twin-info-real"
    "$EMU" info --json --device "$spec" | jq -S 'del(.device)' >"$LOG/twin-info-simulated"
    difference=$(diff "$LOG/twin-info-real" "$LOG/twin-info-simulated") || fail "differs from $spec: $difference"
    echo "the same as $spec"
}

check conformance check_conformance
if is_sim; then check "info of the twin" check_twin_info; fi
