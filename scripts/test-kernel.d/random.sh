# shellcheck shell=bash
# Scripts that are made up, for test-kernel, for test-kernel --random and for the guest: which seeds a day has, and what is said
# of a comparison with the twin (`emu replay --random --json`).

# How many scripts steps/65-replay.sh plays on each device.
# shellcheck disable=SC2034  # read by those who source it
RANDOM_SCRIPTS=30

# day_seed COUNT: the first of the day's COUNT seeds: those of the next day begin behind them, so that no two days have one in
# common. Asked once, on the host: a guest that crosses midnight has the same.
day_seed() { echo $(($(date +%s) / 86400 * $1)); }

# random_summary REPORT: a line of what was compared, with the seeds, the differences that a row of "Does not imitate" has
# (docs/simulated-devices.md), and how many scripts show another one.
random_summary() {
    gojq -r '"\(.calls) calls of seeds \(.seed) to \((.seed | tonumber) + .scripts - 1): \(.answers) answers told apart"
        + ([.known[] | "; \(.answers) difference\(if .answers == 1 then "" else "s" end) of row \(.row)"] | add // "")
        + "; \(.differing) of \(.played) scripts differ"' "$1"
}

# random_differences REPORT: a line for each kind of difference that no row has, with the command that plays its script again,
# and for everything else that was wrong.
random_differences() {
    gojq -r '. as $all
        | (.kinds[] | "DIFFERS in \(.scripts): \(.call) -> \(.seen), the twin answers \(.expected); again: "
            + "emu replay --random 1 --calls \($all.callsEach) --seed \(.seed) --device \($all.device) --against \($all.against)"),
        (.problems[] | "WRONG: \(.)"), (if .interrupted then "WRONG: interrupted" else empty end),
        (if .played != .scripts then "WRONG: \(.played) of \(.scripts) scripts were played" else empty end),
        (if .calls == 0 then "WRONG: no call was made" else empty end)' "$1"
}
