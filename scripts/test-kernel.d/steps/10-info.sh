# shellcheck shell=bash
# What the device says of itself, by path and by an inherited descriptor.

check_info() {
    local seen expected
    "$EMU" info --json --device "$FILE" >"$LOG/info.json"
    seen=$(value info '[.backendFeatures.bits, .features.bits, .deviceID,
        (.backendFeatures.names | index("IOTLB_PERSIST") != null)] | map(tostring) | join(" ")')
    expected="$(expected_backend_features) $(expected_features) 1 $(truth offers_persist)"
    [[ $seen == "$expected" ]] ||
        fail "backend features, features, device, IOTLB_PERSIST offered: $seen, expected $expected"
    echo "backend $(expected_backend_features), PERSIST offered: $(truth offers_persist)"
}

check_inherited() {
    "$EMU" info --json --device fd:9 9<>"$FILE" >"$LOG/inherited.json"
    [[ $(value inherited .features.bits) == "$(expected_features)" ]] || fail "other features by fd:9"
    echo "fd:9 answers as the path does"
}

check info check_info
check "inherited descriptor" check_inherited
