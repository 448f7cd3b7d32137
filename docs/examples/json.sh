#!/bin/sh
# What a program asks of emu's answers: one object each, by the schemas beside this folder. Needs gojq, or jq.
set -eu
emu=${EMU:-emu}
jq=$(command -v gojq || command -v jq) || { echo "json.sh: needs gojq or jq" >&2; exit 2; }
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

# ask FILTER ARGUMENT...: what emu answers goes into a file first: in a pipeline its exit status would be nobody's. An
# answer is also there where something was found wrong, which is status 1; where emu could not start there is none.
ask() {
    filter=$1 status=0
    shift
    "$emu" "$@" --json >"$answer" || status=$?
    [ "$status" -le 1 ] || exit "$status"
    "$jq" "$filter" "$answer"
}

# Whether the device says that it keeps its maps.
ask '.backendFeatures.names | index("IOTLB_PERSIST") != null' info
# What a run found, and how long a stop and start took in the middle, in microseconds.
ask '{sent: .packets.sent, lost: .packets.lost, cycle: .cycleTime.p50}' run --duration 1s
# The rules that a device does not obey: this one drops its maps at a reset although it says that it keeps them.
ask '[.rules[] | select(.outcome == "failed").number]' check --device sim,fault=loses-maps
