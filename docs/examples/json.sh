#!/bin/sh
# What a program asks of emu's answers: one object each, by the schemas beside this folder. Needs gojq, or jq.
set -eu
emu=${EMU:-emu}
jq=$(command -v gojq || command -v jq)

# Whether the device says that it keeps its maps.
"$emu" info --json 2>/dev/null | "$jq" '.backendFeatures.names | index("IOTLB_PERSIST") != null'
# What a run found, and how long a stop and start took in the middle, in microseconds.
"$emu" run --duration 1s --json 2>/dev/null | "$jq" '{sent: .packets.sent, lost: .packets.lost, cycle: .cycleTime.p50}'
# The rules that a device does not obey.
"$emu" check --device sim,kernel=6.1 --json 2>/dev/null | "$jq" '[.rules[] | select(.outcome == "failed").number]'
