# shellcheck shell=bash
# After emu, Linux's own driver: virtio_vdpa gives the device its own DMA addresses, so vdpa_sim from 6.7 on needs its
# identity mapping back (.reset_map), which it lost with emu's first map. The vdpa_sim of 6.1 has no identity and
# maps for the driver itself; behind an IOMMU, the driver gets a domain of its own. Frames pass on each.

FRAMES=200

# reflected: Linux's virtio-net sends frames through the device, and every one comes back.
reflected() {
    local interface before after frames
    interface=$(kernel-vm-device bind virtio_vdpa)
    before=$(cat "/sys/class/net/$interface/statistics/rx_packets")
    frames=$("$PROBES/reflect" "$interface" "$FRAMES" 2>"$LOG/reflect.err") ||
        fail "Linux's virtio-net: $(tail -n 1 "$LOG/reflect.err")"
    after=$(cat "/sys/class/net/$interface/statistics/rx_packets")
    [[ $frames == "frames=$FRAMES" && $((after - before)) -ge $FRAMES ]] ||
        fail "$frames, and the interface counts $((after - before))"
    [[ $(kernel-vm-device bind vhost_vdpa) == "$FILE" ]] || fail "the device did not come back as $FILE"
}

check_reset_map_orderly() {
    must_end "reset-map-$1" --cycles 3 --interval 5ms --persist "$1"
    report "reset-map-$1" "$LOSSLESS" packets ".persist.acknowledged == $(truth keeps_maps "$1")" PERSIST
    reflected
    must_run "reset-map-$1-again" --cycles 1 --persist "$1"
    echo "$FRAMES frames through Linux's virtio-net, then emu runs again"
}

# Killed with its maps in the device, in the middle of its second start.
check_reset_map_killed() {
    kill_at auto VHOST_SET_VRING_ADDR 4
    reflected
    must_run reset-map-killed-again --cycles 1
    echo "$FRAMES frames through Linux's virtio-net, then emu runs again"
}

check "virtio-net after emu, persist auto" check_reset_map_orderly auto
check "virtio-net after emu, persist off" check_reset_map_orderly off
check "virtio-net after SIGKILL" check_reset_map_killed
