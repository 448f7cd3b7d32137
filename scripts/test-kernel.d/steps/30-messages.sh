# shellcheck shell=bash
# What is sent for the maps in a cycle, counted outside emu.

# between_starts TRACE: the calls from the first start's to the last start's queue addresses: whole cycles only,
# without the first map, which is before it, and the unmapping at the close, which is after it.
between_starts() {
    awk '{ call[NR] = $0 } $0 == "VHOST_SET_VRING_ADDR" { last = NR; if (!first) first = NR }
        END { for (i = first; i <= last; i++) print call[i] }' "$1"
}

check_messages() {
    local policy=$1 cycles=5 name=$LOG/messages-$1 updates sections starts sent
    calls "$(calls_of "$policy")" >"$name.calls"
    between_starts "$name.calls" >"$name.cycles"
    # A start gives each of the two queues its addresses, a stop resets the device.
    starts=$(count VHOST_SET_VRING_ADDR <"$name.calls")
    ((starts == 2 * (cycles + 1))) || fail "$starts addresses are not $cycles cycles"
    # One of the UPDATEs is for the page that the device must answer for; it goes with its section's INVALIDATE.
    updates=$(sed '/VHOST_SET_VRING_ADDR/,$d' "$name.calls" | count UPDATE)
    sections=$((updates - 1))
    ((sections > 0)) || fail "no map before the first start"
    sent=$(grep -v '^VHOST_' "$name.cycles" | sort | uniq -c | awk '{ printf "%s %d, ", $2, $1 }') || true
    sent=${sent%, }
    if keeps_maps "$policy"; then
        [[ -z $sent ]] || fail "sent in $cycles cycles: $sent"
        echo "$sections sections mapped once; in $cycles cycles no write at all"
    else
        # One batch for the unmapping, one for the mapping.
        local unmaps=$((cycles * sections)) maps=$((cycles * updates))
        [[ $sent == "BATCH_BEGIN $((2 * cycles)), BATCH_END $((2 * cycles)), INVALIDATE $unmaps, UPDATE $maps" ]] ||
            fail "$cycles cycles of $sections sections: ${sent:-nothing}"
        echo "$cycles cycles of $sections sections: $sent"
    fi
}

check "messages by strace, persist auto" check_messages auto
check "messages by strace, persist off" check_messages off
