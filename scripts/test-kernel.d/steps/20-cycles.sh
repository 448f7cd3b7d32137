# shellcheck shell=bash
# Stops and starts under traffic, maps kept and not.

# How many cycles each policy gets: 300 where they are quick, fewer where memory is pinned each time anew, or the
# driver starts over.
number_of_cycles() {
    case $KERNEL/$DEVICE in
        6.12/vdpasim:use_va=1,batch=1*) echo 300 ;;
        */vdpasim*) echo 100 ;;
        *) echo 50 ;;
    esac
}

check_cycles() {
    local policy=$1 number name=cycles-$1
    number=$(number_of_cycles)
    must_run "$name" --cycles "$number" --interval 5ms --persist "$policy"
    report "$name" ".cycles == $number and .faults == 0" "cycles"
    report "$name" ".persist == {offered: $(truth offers_persist), acknowledged: $(truth keeps_maps "$policy")}" PERSIST
    if keeps_maps "$policy"; then
        report "$name" '.iotlb | .perCycle == {updates: 0, invalidates: 0} and .updates > 0' "maps kept"
    else
        # Each of the starts maps every section, in one message more than there are (the page that the device must
        # answer for); each of the stops unmaps it.
        report "$name" ".iotlb | .perCycle.updates == .perCycle.invalidates + 1 and .perCycle.invalidates > 0 and
            .updates == .perCycle.updates * ($number + 1) and
            .invalidates == .perCycle.invalidates * ($number + 1)" "maps made anew"
    fi
    if is_sim; then report "$name" '.packets.abandoned == 0 and .packets.sent == .packets.received' "nothing abandoned"; fi
    check_resources "$name"
    await_unpinned
    echo "$number cycles, $(value "$name" '"\(.packets.received) packets, \(.packets.abandoned) abandoned, per cycle" +
        " \(.iotlb.perCycle.updates) + \(.iotlb.perCycle.invalidates) messages, p50 \(.cycleTime.p50 | round) us"')"
}

# check_resources NAME: pinned memory and descriptors after the last cycle are those after the first start.
check_resources() {
    report "$1" '.resources | .pinned.first == .pinned.last and .descriptors.first == .descriptors.last and
        .descriptors.first > 0' "resources"
    if pins; then
        report "$1" '.resources.pinned.first >= .memoryBytes' "pinned memory"
    else
        report "$1" '.resources.pinned.first == 0' "pinned memory"
    fi
}

check "cycles, persist auto" check_cycles auto
check "cycles, persist off" check_cycles off
