# shellcheck shell=bash
# A VDUSE device that `emu vduse` serves, beside this VM's own: Linux's driver uses emu's network card, across stops and
# starts of emu, and emu itself drives it through vhost-vdpa. On the VM that the kernel's file names (KERNEL_VDUSE_BESIDE).

VDUSE=vduse0
VDUSE_LOG=$LOG/vduse
VDUSE_PEER=10.9.0.2
VDUSE_MEGABYTES=12

# serve PORT: starts emu, which serves the device; returns once it does. Its process is in VDUSE_PID.
serve() {
    local tries
    "$EMU" vduse --json --name "$VDUSE" --wire "$1" >"$VDUSE_LOG/served.json" 2>"$VDUSE_LOG/served.txt" 8>&- 9>&- &
    VDUSE_PID=$!
    for ((tries = 0; tries < 100; tries++)); do
        ! grep -qE 'attach it with|going on with' "$VDUSE_LOG/served.txt" || return 0
        [[ -e /proc/$VDUSE_PID ]] || break
        sleep 0.1
    done
    fail "emu vduse: $(tail -n 1 "$VDUSE_LOG/served.txt")"
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
    kill -TERM "$VDUSE_PID" 2>/dev/null || true
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

# await_bytes FILE BYTES: until the file has so many.
await_bytes() {
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        (($(stat -c %s "$1") < $2)) || return 0
        sleep 0.1
    done
    fail "$(stat -c %s "$1") of $2 bytes have come"
}

# One TCP connection carries a file in thirds. While the second is on its way emu is ended and started again, while the
# third is it is killed. What was seen is in VDUSE_SEEN: only the shell that has started emu can wait for it.
carry_file() {
    local third=$((VDUSE_MEGABYTES * 1048576 / 3)) part received before after
    for part in 1 2 3; do head -c "$third" /dev/urandom >"/tmp/vduse-$part"; done
    mkfifo /tmp/vduse-pipe /tmp/vduse-silence
    : >/tmp/vduse-received
    # Each end of nc goes when the other has nothing more to say.
    exec 9<>/tmp/vduse-silence
    ip netns exec far busybox nc -l -p 5000 <&9 >/tmp/vduse-received &
    received=$!
    sleep 0.5
    busybox nc "$VDUSE_PEER" 5000 </tmp/vduse-pipe &
    exec 8>/tmp/vduse-pipe
    cat /tmp/vduse-1 >&8
    await_bytes /tmp/vduse-received "$third"
    cat /tmp/vduse-2 >&8 &
    sleep 0.2
    end_service attached
    before=$(stat -c %s /tmp/vduse-received)
    serve tap:tf@far
    await_bytes /tmp/vduse-received $((2 * third))
    cat /tmp/vduse-3 >&8 &
    sleep 0.2
    kill -KILL "$VDUSE_PID"
    wait "$VDUSE_PID" || true
    after=$(stat -c %s /tmp/vduse-received)
    serve tap:tf@far
    await_bytes /tmp/vduse-received $((3 * third))
    exec 8>&- 9>&-
    wait "$received"
    [[ $(cat /tmp/vduse-[123] | sha256sum) == $(sha256sum </tmp/vduse-received) ]] || fail "the file is another one"
    ((before < 2 * third && after < 3 * third)) || fail "a third was through before emu ended: $before, $after bytes"
    VDUSE_SEEN="$VDUSE_MEGABYTES MiB over TCP, the same sha256; emu ended at $((before / 1024)) KiB and was killed at $((after / 1024)) KiB"
}

# How fast that is, where iperf3 is installed.
measure_speed() {
    command -v iperf3 >/dev/null || { echo "no iperf3 here"; return; }
    ip netns exec far iperf3 -s -1 -D
    sleep 0.5
    iperf3 -c "$VDUSE_PEER" -t 2 -J >"$VDUSE_LOG/iperf3.json" || fail "iperf3: $(tail -n 3 "$VDUSE_LOG/iperf3.json")"
    gojq -r '"iperf3 \(.end.sum_received.bits_per_second / 1e6 | round) Mbit/s"' "$VDUSE_LOG/iperf3.json"
}

check_vduse_driver() {
    local speed
    make_network
    make_vduse virtio_vdpa tap:tf@far
    ip addr add 10.9.0.1/24 dev "$VDUSE_FACE"
    ip link set "$VDUSE_FACE" up
    ping -q -c 20 -i 0.05 -W 2 "$VDUSE_PEER" >"$VDUSE_LOG/ping" || fail "ping: $(grep transmitted "$VDUSE_LOG/ping")"
    carry_file
    speed=$(measure_speed) || fail "$speed"
    remove_vduse
    echo "$(grep -o '[0-9]* received' "$VDUSE_LOG/ping") of 20 pings; $VDUSE_SEEN; $speed"
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
