# Two network namespaces with a TAP in each, and something that carries frames between the TAPs.
# Sourced after usage.bash by scripts/test-namespaces, scripts/soak and scripts/bench tap. Everything it makes is gone
# when the script ends.
#
#   [left namespace]  10.99.0.1 on $left_tap  <- forwarder ->  $right_tap on 10.99.0.2  [right namespace]
#
# Neighbours are static and IPv6 is off, so what nobody sends does not appear. No address exists outside the two
# namespaces.

# Variables go both ways between this file and its users.
# shellcheck disable=SC2034,SC2154

# shellcheck source=compiler.bash
source "$(dirname "${BASH_SOURCE[0]}")/compiler.bash"

left_address=10.99.0.1
right_address=10.99.0.2

# What 'ip tuntap add' makes the TAPs with, besides the header: multi_queue for several queues.
tap_options=()

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
traffic="$root/scripts/lib/tap-traffic.py"
work=
forwarder=
background=()

# Ends with 2 and one line unless this process can make namespaces; of the tools named, those that are missing are installed.
require_root_and() {
    [[ $EUID -eq 0 ]] || refuse "network namespaces need root: run 'sudo scripts/$SCRIPT_NAME'"
    [[ -c /dev/net/tun ]] || refuse "there is no /dev/net/tun: 'modprobe tun', or give the container the device"
    local tool needs=()
    declare -A need=([ip]=iproute2 [ss]=iproute2)
    for tool in "$@"; do needs+=("${need[$tool]:-$tool}"); done
    "$root/scripts/bootstrap" "${needs[@]}" || exit 2
}

# The emu binary: $EMU, or the release build.
find_emu() {
    EMU=${EMU:-$root/.build/release/emu}
    [[ -x $EMU ]] || refuse "no emu at $EMU: 'swift build -c release --product emu', or name one in EMU"
}

# Builds the C bridge and says where it is.
build_bridge() {
    bridge=$work/bridge
    "$root/scripts/bootstrap" cc
    "$(compiler)" -O2 -o "$bridge" "$root/Benchmarks/CBridge/bridge.c" -lpthread || refuse "the C bridge does not compile"
}

clean_up() {
    local pid
    for pid in $forwarder "${background[@]}"; do
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    background=()
    [[ -n ${left:-} ]] && ip netns del "$left" 2>/dev/null
    [[ -n ${right:-} ]] && ip netns del "$right" 2>/dev/null
    [[ -n $work ]] && rm -rf "$work"
}

# Makes the namespaces and the TAPs, with names nobody else has, in place of those made before.
make_namespaces() {
    clean_up
    trap clean_up EXIT
    trap 'exit 130' INT TERM
    work=$(mktemp -d "${TMPDIR:-/tmp}/emu-tap.XXXXXX") || refuse "cannot make a temporary directory"
    local tag
    tag=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')
    left=emu-left-$tag right=emu-right-$tag
    left_tap=emul$tag right_tap=emur$tag
    make_side "$left" "$left_tap" "$left_address" 02:00:00:99:00:01 "$right_address" 02:00:00:99:00:02
    make_side "$right" "$right_tap" "$right_address" 02:00:00:99:00:02 "$left_address" 02:00:00:99:00:01
}

make_side() {
    local namespace=$1 tap=$2 address=$3 mac=$4 other=$5 other_mac=$6
    ip netns add "$namespace" || refuse "cannot make network namespace $namespace"
    ip netns exec "$namespace" sh -c \
        'for f in all default; do f=/proc/sys/net/ipv6/conf/$f/disable_ipv6; [ ! -e $f ] || echo 1 >$f; done'
    ip -n "$namespace" link set lo up &&
        ip -n "$namespace" tuntap add "$tap" mode tap vnet_hdr "${tap_options[@]}" &&
        ip -n "$namespace" link set "$tap" address "$mac" &&
        ip -n "$namespace" address add "$address/24" dev "$tap" &&
        ip -n "$namespace" link set "$tap" up &&
        ip -n "$namespace" neighbour add "$other" lladdr "$other_mac" dev "$tap" nud permanent ||
        refuse "cannot set up TAP $tap in $namespace"
}

# A function in the background is a shell of its own: what is to be killed by $! is started with ip netns exec itself,
# which becomes the command.
on_left() { ip netns exec "$left" "$@"; }
on_right() { ip netns exec "$right" "$@"; }

# counter left|right NAME: a statistic of that side's TAP, as the kernel has it.
counter() {
    local tap=$left_tap
    [[ $1 == right ]] && tap=$right_tap
    "on_$1" cat "/sys/class/net/$tap/statistics/$2"
}

# Waits until condition "$@" holds, for ten seconds, while the forwarder lives.
await() {
    local tries
    for ((tries = 0; tries < 200; tries++)); do
        "$@" && return 0
        [[ -z $forwarder ]] || kill -0 "$forwarder" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

has_carrier() {
    [[ $(on_left cat "/sys/class/net/$left_tap/carrier" 2>/dev/null) == 1 &&
        $(on_right cat "/sys/class/net/$right_tap/carrier" 2>/dev/null) == 1 ]]
}

answers() { on_left ping -q -c 1 -W 1 "$right_address" >/dev/null 2>&1; }

# start_forwarder COMMAND...: runs it between the TAPs until stop_forwarder, its answer in $work/answer.json.
start_forwarder() {
    "$@" run --guest "tap:$left_tap@$left" --wire "tap:$right_tap@$right" "${forwarder_options[@]}" \
        >"$work/answer.json" 2>"$work/forwarder.log" &
    forwarder=$!
    await has_carrier && await answers && return 0
    echo "${1##*/} does not carry frames; it said:" >&2
    tail -n 20 "$work/forwarder.log" >&2
    return 1
}

# Ends the forwarder as a user would, once nothing is moving. Its exit status is in $forwarder_status.
stop_forwarder() {
    local before after
    after=$(frames_moved)
    for _ in {1..50}; do
        before=$after
        sleep 0.1
        after=$(frames_moved)
        [[ $before == "$after" ]] && break
    done
    kill -TERM "$forwarder" 2>/dev/null
    # A forwarder that does not end is ended, and fails by its status.
    await has_ended
    kill -KILL "$forwarder" 2>/dev/null
    wait "$forwarder" 2>/dev/null
    forwarder_status=$?
    forwarder=
}

has_ended() { ! kill -0 "$forwarder" 2>/dev/null; }

frames_moved() {
    echo "$(counter left tx_packets) $(counter left rx_packets) $(counter right tx_packets) $(counter right rx_packets)"
}

# ask FILE FILTER: what a gojq filter finds in a file of one JSON value. Fails where there is no such file, no value in
# it, or nothing that the filter asks for.
ask() { gojq -nr "input | ($2) | if . == null then error(\"nothing\") else . end" "$1" 2>/dev/null; }

# answer FILTER: of the forwarder's JSON; "?" where it has none.
answer() { ask "$work/answer.json" "$1" || echo "?"; }

# iperf_rate SECONDS [OPTION...]: megabits per second over TCP as the receiver has it. Fails where nothing came through.
iperf_rate() {
    local seconds=$1
    shift
    ip netns exec "$right" iperf3 -s -1 -B "$right_address" >/dev/null 2>&1 &
    local server=$!
    background+=("$server")
    await listens 5201 || return 1
    on_left iperf3 -c "$right_address" -t "$seconds" -J "$@" >"$work/iperf.json" 2>/dev/null
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    ask "$work/iperf.json" '.end.sum_received.bits_per_second / 1e6 | round'
}

listens() { on_right ss -Hlnt "sport = :$1" 2>/dev/null | grep -q .; }
