# shellcheck shell=bash
# A VDUSE device that `emu vduse` serves, beside this VM's own: Linux's driver uses emu's network card, across stops and
# starts of emu, and emu itself drives it through vhost-vdpa. On the VM that the kernel's file names (KERNEL_VDUSE_BESIDE).

VDUSE=vduse0
VDUSE_LOG=$LOG/vduse
VDUSE_PEER=10.9.0.2
# Of the stream, before each end of emu and after the last.
VDUSE_BYTES=4194304

# serve PORT: starts emu, which serves the device; returns once it does. Its process is in VDUSE_PID.
serve() {
    "$EMU" vduse --json --name "$VDUSE" --wire "$1" >"$VDUSE_LOG/served.json" 2>"$VDUSE_LOG/served.txt" 9>&- &
    VDUSE_PID=$!
    await "emu vduse serves nothing" serves_or_ended
    [[ -e /proc/$VDUSE_PID ]] || fail "emu vduse: $(tail -n 1 "$VDUSE_LOG/served.txt")"
}

serves_or_ended() {
    grep -qE 'attach it with|going on with' "$VDUSE_LOG/served.txt" || [[ ! -e /proc/$VDUSE_PID ]]
}

# end_service OUTCOME: ends emu as a service manager does; the device has come to OUTCOME.
end_service() {
    local status=0
    kill -TERM "$VDUSE_PID"
    wait "$VDUSE_PID" || status=$?
    ((status == 0)) || fail "emu vduse ended with $status: $(tail -n 1 "$VDUSE_LOG/served.txt")"
    [[ $(gojq -r .outcome "$VDUSE_LOG/served.json") == "$1" ]] ||
        fail "the device is not $1: $(gojq -c . "$VDUSE_LOG/served.json")"
}

# make_vduse DRIVER PORT: the device, served, attached and bound; its interface or file is in VDUSE_FACE. What a check that
# fails leaves behind goes with its shell.
make_vduse() {
    mkdir -p "$VDUSE_LOG"
    trap give_up_vduse EXIT
    serve "$2"
    vdpa dev add mgmtdev vduse name "$VDUSE"
    VDUSE_FACE=$(kernel-vm-device bind "$1" "$VDUSE")
}

give_up_vduse() {
    [[ ! -e /sys/bus/vdpa/devices/$VDUSE ]] || timeout 60 vdpa dev del "$VDUSE" || true
    local job
    for job in $(jobs -pr); do kill -TERM "$job" 2>/dev/null || true; done
}

remove_vduse() {
    vdpa dev del "$VDUSE"
    end_service removed
    [[ ! -e /dev/vduse/$VDUSE ]] || fail "/dev/vduse/$VDUSE is still there"
}

# make_network: a TAP in a namespace of its own at the device's wire.
make_network() {
    modprobe tun
    ip netns add far
    ip -n far tuntap add tf mode tap vnet_hdr
    ip -n far addr add "$VDUSE_PEER/24" dev tf
    ip -n far link set tf up
}

# listens PORT: whether somebody does in the far namespace. /proc/net has ports in hexadecimal; 0A is LISTEN.
listens() {
    ip netns exec far cat /proc/net/tcp /proc/net/tcp6 | grep -qE "^ *[0-9]+: [0-9A-F]+:$(printf %04X "$1") [0-9A-F:]+ 0A "
}

received_bytes() { stat -c %s /tmp/vduse-received; }
has_received() { (($(received_bytes) >= $1)); }

# One TCP connection carries numbers without end, so that it is in their middle whenever that is: emu is ended and started again,
# then killed and started again, each time after some megabytes more. Then the numbers end, and what was received is what was sent.
# What was seen is in VDUSE_SEEN: only the shell that has started emu can wait for it.
carry_stream() {
    local receiver sender numbers ended killed
    mkfifo /tmp/vduse-numbers /tmp/vduse-stream /tmp/vduse-silence
    : >/tmp/vduse-received
    # Each end of nc goes when the other has nothing more to say.
    exec 9<>/tmp/vduse-silence
    ip netns exec far busybox nc -l -p 5000 <&9 >/tmp/vduse-received &
    receiver=$!
    await "nobody listens at port 5000" listens 5000
    busybox nc "$VDUSE_PEER" 5000 </tmp/vduse-stream 9>&- &
    sender=$!
    tee /tmp/vduse-sent </tmp/vduse-numbers >/tmp/vduse-stream 9>&- &
    seq 1000000000 >/tmp/vduse-numbers 9>&- &
    numbers=$!
    await "the stream does not begin" has_received "$VDUSE_BYTES"
    end_service attached
    ended=$(received_bytes)
    serve tap:tf@far
    await "the stream does not go on after emu was ended" has_received $((ended + VDUSE_BYTES))
    kill -KILL "$VDUSE_PID"
    wait "$VDUSE_PID" || true
    killed=$(received_bytes)
    serve tap:tf@far
    await "the stream does not go on after emu was killed" has_received $((killed + VDUSE_BYTES))
    # Nothing was at its end before: who wrote the numbers is still there.
    kill -TERM "$numbers" || fail "the numbers came to their end"
    wait "$numbers" || true
    wait "$sender" || fail "nc, which sends: status $?"
    wait "$receiver" || fail "nc, which receives: status $?"
    exec 9>&-
    cmp /tmp/vduse-sent /tmp/vduse-received >&2 ||
        fail "what was received is not what was sent: $(received_bytes) bytes of $(stat -c %s /tmp/vduse-sent)"
    VDUSE_SEEN="$(($(received_bytes) / 1048576)) MiB over TCP, all as sent; emu ended at $((ended / 1024)) KiB and was killed at $((killed / 1024)) KiB"
}

# How fast that is.
measure_speed() {
    ip netns exec far iperf3 -s -1 -D
    await "iperf3 does not listen" listens 5201
    iperf3 -c "$VDUSE_PEER" -t 2 -J >"$VDUSE_LOG/iperf3.json" || fail "iperf3: $(tail -n 3 "$VDUSE_LOG/iperf3.json")"
    gojq -r '"iperf3 \(.end.sum_received.bits_per_second / 1e6 | round) Mbit/s"' "$VDUSE_LOG/iperf3.json"
}

# ping_all COUNT: every one must have come back once; ping itself is content with one of them. The first waits for ARP.
ping_all() {
    local seen
    ping -q -c "$1" -i 0.05 -W 30 "$VDUSE_PEER" >"$VDUSE_LOG/ping" || true
    seen=$(grep transmitted "$VDUSE_LOG/ping") || fail "ping: $(tail -n 1 "$VDUSE_LOG/ping")"
    [[ $seen == "$1 packets transmitted, $1 received, 0% packet loss"* ]] || fail "ping: $seen"
}

check_vduse_driver() {
    local speed
    make_network
    make_vduse virtio_vdpa tap:tf@far
    ip addr add 10.9.0.1/24 dev "$VDUSE_FACE"
    ip link set "$VDUSE_FACE" up
    ping_all 20
    carry_stream
    speed=$(measure_speed) || fail "$speed"
    remove_vduse
    echo "20 of 20 pings; $VDUSE_SEEN; $speed"
}

# emu on both sides: its driver, through vhost-vdpa, and its network card. The rules' outcomes are the twin's.
check_vduse_vhost() {
    local packets rules status=0
    make_vduse vhost_vdpa loopback
    # shellcheck disable=SC2034  # guest/lib.sh and guest/rules.sh read them
    FILE=$VDUSE_FACE LOG=$VDUSE_LOG
    must_run run --cycles 20 --interval 20ms
    packets=$(value run '"\(.packets.received) packets in \(.cycles) cycles"')
    check_twin_info
    rules=$(check_conformance) || status=$?
    echo "$rules"
    ((status == 0)) || exit 1
    remove_vduse
    echo "$packets; $(tail -n 1 <<<"$rules")"
}

if serves_vduse "$DEVICE"; then
    check "vduse, Linux's driver" check_vduse_driver
    check "vduse, vhost-vdpa" check_vduse_vhost
fi
