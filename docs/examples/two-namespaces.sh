#!/bin/sh
# Two network namespaces with a TAP in each, and emu between them: the guest's driver on one, the device's wire on the
# other. The device is stopped and started every 500 ms, and ping loses nothing. Needs root.
set -eu
emu=${EMU:-emu}

# The TAPs go with their namespaces.
ip netns add left
trap 'ip netns del left' EXIT
ip netns add right
trap 'ip netns del left; ip netns del right' EXIT
ip -n left  tuntap add ta mode tap vnet_hdr && ip -n left  addr add 10.9.0.1/24 dev ta && ip -n left  link set ta up
ip -n right tuntap add tb mode tap vnet_hdr && ip -n right addr add 10.9.0.2/24 dev tb && ip -n right link set tb up
"$emu" run --guest tap:ta@left --wire tap:tb@right --interval 500ms --duration 20s &

# emu has both TAPs when the first answer comes.
tries=0
until ip netns exec left ping -q -c 1 -W 1 10.9.0.2 >/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 20 ] && kill -0 $! 2>/dev/null || { kill $! 2>/dev/null || true; wait $! || true; exit 1; }
done
ip netns exec left ping -q -i 0.01 -c 1000 10.9.0.2
wait $!
