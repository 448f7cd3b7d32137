# shellcheck shell=bash
# What the device says of itself, by path and by an inherited descriptor.

check_info() {
    "$EMU" info --json --device "$FILE" >"$LOG/info.json"
    local seen
    seen=$(value info '.backendFeatures.bits + " " + .features.bits + " " + (.deviceID | tostring)')
    local expected
    expected="$(expected_backend_features) $(expected_features) 1"
    [[ $seen == "$expected" ]] || fail "backend features, features, device: $seen, expected $expected"
    [[ $(value info '.backendFeatures.names | index("IOTLB_PERSIST") != null') == "$(truth offers_persist)" ]] ||
        fail "IOTLB_PERSIST offered: not as expected of $KERNEL"
    echo "backend $(value info .backendFeatures.bits), PERSIST offered: $(truth offers_persist)"
}

check_inherited() {
    "$EMU" info --json --device fd:9 9<>"$FILE" >"$LOG/inherited.json"
    [[ $(value inherited .features.bits) == "$(expected_features)" ]] || fail "other features by fd:9"
    echo "fd:9 answers as the path does"
}

check info check_info
check "inherited descriptor" check_inherited
