# shellcheck shell=bash
# Stops and starts under traffic, maps kept and not.

# How many cycles each policy gets: 300 where they are quick, fewer where memory is pinned each time anew, or the
# driver starts over.
number_of_cycles() {
    case $DEVICE in
        vdpasim:use_va=1,batch=1*) echo 300 ;;
        vdpasim*) echo 100 ;;
        *) echo 50 ;;
    esac
}

check_cycles() {
    local policy=$1 number name=cycles-$1 wanted
    number=$(number_of_cycles)
    must_end "$name" --cycles "$number" --interval 5ms --persist "$policy"
    wanted=(
        "$LOSSLESS" packets
        ".cycles == $number and .faults == 0" cycles
        ".persist == {offered: $(truth offers_persist), acknowledged: $(truth keeps_maps "$policy")}" PERSIST
        # Pinned memory and descriptors after the last cycle are those after the first start.
        '.resources | .pinned.first == .pinned.last and .descriptors.first == .descriptors.last and
            .descriptors.first > 0' resources
    )
    if keeps_maps "$policy"; then
        wanted+=('.iotlb | .perCycle == {updates: 0, invalidates: 0} and .updates > 0' "maps kept")
    else
        # Each of the starts maps every section, in one message more than there are (the page that the device must
        # answer for); each of the stops unmaps it.
        wanted+=(".iotlb | .perCycle.updates == .perCycle.invalidates + 1 and .perCycle.invalidates > 0 and
            .updates == .perCycle.updates * ($number + 1) and
            .invalidates == .perCycle.invalidates * ($number + 1)" "maps made anew")
    fi
    if pins; then
        wanted+=('.resources.pinned.first >= .memoryBytes' "pinned memory")
    else
        wanted+=('.resources.pinned.first == 0' "pinned memory")
    fi
    if is_sim; then
        wanted+=('.packets.abandoned == 0 and .packets.sent == .packets.received' "nothing abandoned")
    fi
    report "$name" "${wanted[@]}"
    await_unpinned
    echo "$number cycles, $(value "$name" '"\(.packets.received) packets, \(.packets.abandoned) abandoned, per cycle" +
        " \(.iotlb.perCycle.updates) + \(.iotlb.perCycle.invalidates) messages, p50 \(.cycleTime.p50 | round) us"')"
}

check "cycles, persist auto" check_cycles auto
check "cycles, persist off" check_cycles off
