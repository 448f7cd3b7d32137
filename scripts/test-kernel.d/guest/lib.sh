# shellcheck shell=bash
# What every step uses: checks, facts about the kernel and the device, emu and what it says.

# shellcheck disable=SC2034  # the steps read these
FILE=/dev/vhost-vdpa-0
LOG=/share/log
# Guest RAM of a run: small, because a device that pins takes it page by page.
MEMORY=64M

# check NAME FUNCTION [ARGUMENT...]: one row of the table. The function runs in a shell of its own that ends at
# the first command that fails; the last line it prints is what was seen.
check() {
    local name=$1 begin=$EPOCHREALTIME log=$LOG/${1//[ :]/-} status outcome=pass seen
    shift
    (set -euo pipefail; "$@") >"$log.out" 2>"$log.err"
    status=$?
    seen=$(tail -n 1 "$log.out")
    if ((status != 0)); then
        outcome=fail
        { echo "--- $KERNEL $DEVICE, $name: exit status $status"; tail -n 40 "$log.out" "$log.err"; } >&2
        seen=${seen:-$(tail -n 1 "$log.err")}
    fi
    printf '%s\t%s\t%s\t%s\n' "$name" "$outcome" "$(seconds_since "$begin")" "$seen" >>/share/results
}

seconds_since() {
    local now=$EPOCHREALTIME
    local micros=$((${now/./} - ${1/./}))
    printf '%d.%d' $((micros / 1000000)) $((micros % 1000000 / 100000))
}

# fail WORDS: ends a check's function; the words are its row's.
fail() {
    echo "$*"
    exit 1
}

# await WORDS COMMAND...: until the command succeeds. A minute without that fails, with the words: nothing here waits so long.
await() {
    local words=$1 tries
    shift
    for ((tries = 0; tries < 600; tries++)); do
        ! "$@" || return 0
        sleep 0.1
    done
    fail "$words"
}

# MARK: Facts. What is expected of each kernel stands in its file of kernel-vm.d/kernels and nowhere else.

# shellcheck source=SCRIPTDIR/../../lib/kernels.bash
source "$here/../../lib/kernels.bash"
load_kernel "$KERNEL" || { echo "there is no kernel '$KERNEL'" >&2 && exit 1; }

is_sim() { [[ $DEVICE == vdpasim* ]]; }

# Whether the device pins guest memory: all but vdpa_sim where it takes virtual addresses.
pins() { [[ $DEVICE != *use_va=1* ]]; }

offers_persist() { kernel_persists; }

# keeps_maps POLICY: whether the maps stay across a stop and start.
keeps_maps() { offers_persist && [[ $1 == auto ]]; }

truth() { if "$@"; then echo true; else echo false; fi; }

expected_backend_features() { echo "${KERNEL_BACKEND[${DEVICE%%:*}]}"; }

expected_features() { echo "${KERNEL_FEATURES[${DEVICE%%:*}]}"; }

# MARK: emu

# emu_run NAME ARGUMENT...: `emu run` on the device, its report in $LOG/NAME.json. Returns its exit status.
emu_run() {
    local name=$1
    shift
    "$EMU" run --json --device "$FILE" --memory "$MEMORY" "$@" >"$LOG/$name.json" 2>"$LOG/$name.txt"
}

# must_end NAME ARGUMENT...: the same, and it must end with 0.
must_end() {
    local status=0
    emu_run "$@" || status=$?
    ((status == 0)) || fail "emu run ended with $status: $(tail -n 1 "$LOG/$1.txt")"
}

# What every report must have: traffic without a loss.
LOSSLESS='.packets | .received > 0 and [.lost, .duplicated, .corrupted] == [0, 0, 0]'

# must_run NAME ARGUMENT...: the run must end with 0, and its report must be of traffic without a loss.
must_run() {
    must_end "$@"
    report "$1" "$LOSSLESS" packets
}

# report NAME FILTER WORDS [FILTER WORDS]...: the report has what every gojq FILTER says, or the check fails with the WORDS
# of the first that it has not. One process for all: to start one is what takes time.
report() {
    local name=$1 program='' missing
    shift
    while (($# > 0)); do
        program+="if ($1) == true then empty else \"$2\" end, "
        shift 2
    done
    missing=$(gojq -r "first(${program}null) // empty" "$LOG/$name.json") || fail "the report $name.json cannot be read"
    [[ -z $missing ]] || fail "$missing: $(gojq -c 'del(.setup, .recentFaults)' "$LOG/$name.json")"
}

# says NAME TEXT...: what emu wrote for people has every TEXT.
says() {
    local name=$1 text
    shift
    for text in "$@"; do
        grep -qF -- "$text" "$LOG/$name.txt" || fail "no '$text' in: $(tail -n 1 "$LOG/$name.txt")"
    done
}

value() { gojq -r "$2" "$LOG/$1.json"; }

# MARK: Pinned pages of the whole system

# pinned_pages: the pages that anything has pinned now. Per-processor counts are added up when stat_refresh is written.
pinned_pages() {
    echo 1 >/proc/sys/vm/stat_refresh
    awk '$1 == "nr_foll_pin_acquired" { n += $2; found++ } $1 == "nr_foll_pin_released" { n -= $2; found++ }
        END { if (found != 2) exit 1; print n }' /proc/vmstat
}

# await_unpinned: nothing is pinned but what the kernel itself has lost; a ring's teardown ends after its process.
await_unpinned() {
    local tries pages lost=0
    [[ ! -e $LOG/lost-pages ]] || lost=$(<"$LOG/lost-pages")
    for ((tries = 0; tries < 50; tries++)); do
        pages=$(pinned_pages) || fail "the kernel does not count pinned pages"
        ((pages != lost)) || return 0
        sleep 0.1
    done
    fail "$((pages - lost)) pages stay pinned"
}

# expect_lost_pages: after a map refused half way for want of entries, the kernel may keep one physically contiguous
# run pinned for good: vhost_vdpa_pa_map (drivers/vhost/vdpa.c, 6.1 and 6.12) forgets the run that was refused where
# an earlier one of the same 512 pages was taken. No process can give it back. More than that would be emu's doing.
expect_lost_pages() {
    local tries pages seen=-1 steady=0
    # A ring's teardown ends after its process; what is then left is the kernel's.
    for ((tries = 0; tries < 50 && steady < 3; tries++)); do
        pages=$(pinned_pages)
        ((pages != seen)) && steady=0 || steady=$((steady + 1))
        seen=$pages
        ((pages > 0)) || break
        sleep 0.2
    done
    ((pages <= 512)) || fail "$pages pages stay pinned after a refusal"
    echo "$pages" >"$LOG/lost-pages"
}

# MARK: System calls, seen from outside

# strace_emu TRACE ARGUMENT...: runs `emu run` under strace, which sees every call on the device's descriptor.
# STRACE_OPTIONS may hold more of its options.
strace_emu() {
    local trace=$1
    shift
    strace -f -xx -s 72 -P "$FILE" -e trace=write,ioctl "${STRACE_OPTIONS[@]}" -o "$trace" \
        "$EMU" run --json --device "$FILE" --memory "$MEMORY" "$@"
}
STRACE_OPTIONS=()

# calls TRACE: a line per call, in order: the ioctl's name, or the type of the IOTLB message (struct vhost_msg_v2:
# an 8-byte head, then the message, its type at byte 25).
calls() {
    awk '
        /ioctl\(/ { sub(/.*ioctl\([0-9]+, /, ""); sub(/[,)].*/, ""); print }
        /write\(/ {
            split($0, text, "\"")
            type = substr(text[2], 33 * 4 + 3, 2)
            name["02"] = "UPDATE"; name["03"] = "INVALIDATE"
            name["05"] = "BATCH_BEGIN"; name["06"] = "BATCH_END"
            print (type in name) ? name[type] : "MESSAGE_" type
        }' "$1"
}

# calls_of POLICY: the trace of a few cycles with --persist POLICY, made once.
calls_of() {
    local trace=$LOG/messages-$1.strace
    [[ -e $trace ]] || strace_emu "$trace" --cycles 5 --interval 5ms --persist "$1" >"$LOG/messages-$1.json"
    echo "$trace"
}

# kill_at POLICY NAME N: a run with --persist POLICY that SIGKILL ends as it enters its Nth call NAME on the device.
# strace counts all ioctls, or all writes, so the place of that call among those is taken from an earlier trace.
kill_at() {
    local policy=$1 name=$2 number=$3 syscall=write trace place status=0
    [[ $name != VHOST_* ]] || syscall=ioctl
    # awk reads to the end: a reader that leaves early would fail the pipeline by SIGPIPE.
    place=$(calls "$(calls_of "$policy")" | awk -v name="$name" -v n="$number" -v syscall="$syscall" '
        (/^VHOST_/ ? "ioctl" : "write") == syscall { place++ }
        $0 == name && --n == 0 { print place }')
    [[ -n $place ]] || fail "no call $name number $number to be killed at"
    trace=$LOG/killed-$policy-$name
    STRACE_OPTIONS=(-e "inject=$syscall:signal=SIGKILL:when=$place")
    strace_emu "$trace.strace" --cycles 100 --interval 5ms --persist "$policy" >"$trace.json" 2>&1 || status=$?
    STRACE_OPTIONS=()
    ((status == 137)) || fail "a run to be killed at $name number $number ended with $status"
}

# count NAME: how many lines of standard input are NAME.
count() { awk -v name="$1" '$0 == name { n++ } END { print n + 0 }'; }
