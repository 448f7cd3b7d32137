# shellcheck shell=bash
# Proof that the VM is what it says: every kernel with every device, and the promises of `run`.

SELFTEST_FRAMES=200
SELFTEST_FAILED=0
SELFTEST_FOLDER=''

command_selftest() {
    local kernel=all kernels booted=()
    while (($# > 0)); do
        case $1 in
            --kernel) require_value "$1" $#; kernel=$2; shift 2 ;;
            *) die "selftest does not take '$1'" ;;
        esac
    done
    mapfile -t kernels < <(kernels_of "$kernel")
    for kernel in "${kernels[@]}"; do require_kernel "$kernel"; done

    SELFTEST_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/kernel-vm-selftest.XXXXXX")
    trap 'rm -rf "$SELFTEST_FOLDER"' EXIT
    ensure_tools
    compile_probes
    add_row KERNEL DEVICE BOOT BACKEND FEATURES CONFIG VDUSE FRAMES 'DMAR FAULTS' 'KERNEL LOG' RESULT
    for kernel in "${kernels[@]}"; do
        prepare_selftest "$kernel" || continue
        selftest_kernel "$kernel"
        booted+=("$kernel")
    done
    ((${#booted[@]} > 0)) || die "selftest: no kernel to be had"
    check_run_promises "${booted[0]}"
    print_table
    return "$SELFTEST_FAILED"
}

compile_probes() {
    local program
    for program in probe reflect; do
        gcc-12 -O1 -Wall -Wextra -Werror -o "$SELFTEST_FOLDER/$program" "$KERNEL_VM_PARTS/probe/$program.c"
    done
    cp "$KERNEL_VM_PARTS/probe/examine" "$SELFTEST_FOLDER/"
}

# A row of the table: kernel, device, then what was seen.
add_row() {
    printf '%-6s  %-29s  %8s  %-7s  %-13s  %6s  %-5s  %6s  %11s  %10s  %s\n' "$@" >>"$SELFTEST_FOLDER/table"
}

print_table() {
    cat "$SELFTEST_FOLDER/table"
    echo
    cat "$SELFTEST_FOLDER/notes"
}

note() { printf '%s\n' "$*" >>"$SELFTEST_FOLDER/notes"; }

fail() {
    SELFTEST_FAILED=1
    say "selftest: $*"
}

# selftest_devices: what the kernel has no parameter for is left out.
selftest_devices() {
    local batch
    for batch in 0 1; do
        if [[ $KERNEL_HAS_USE_VA == no ]]; then
            echo "vdpasim:batch=$batch"
        else
            printf 'vdpasim:use_va=%d,batch='$batch'\n' 0 1
        fi
    done
    echo vdpasim:batch=1,entries=65536
    echo vp_vdpa
}

# prepare_selftest KERNEL: builds it. One of an archive that is not to be had is named, and status 1.
prepare_selftest() {
    local kernel=$1 started=$SECONDS status=0
    "$KERNEL_VM_SELF" build --kernel "$kernel" >/dev/null 2>"$SELFTEST_FOLDER/errors" || status=$?
    cat "$SELFTEST_FOLDER/errors" >&2
    load_kernel "$kernel"
    if ((status == VM_UNAVAILABLE)) && has_own_lists; then
        note "kernel $kernel: NOT RUN: $(tail -n 1 "$SELFTEST_FOLDER/errors")"
        return 1
    fi
    ((status == 0)) || die "selftest: kernel $kernel: its build ended with $status"
    note "kernel $kernel: cache ready after $((SECONDS - started)) s"
}

# selftest_kernel KERNEL: the one whose facts are loaded.
selftest_kernel() {
    local device
    while read -r device <&3; do
        selftest_device "$1" "$device"
    done 3< <(selftest_devices)
}

# selftest_device KERNEL DEVICE: one VM; its `examine` prints NAME=VALUE lines.
selftest_device() {
    local kernel=$1 device=$2 log=$SELFTEST_FOLDER/log status=0 name value
    local -A seen=()
    say "selftest: $kernel $device"
    "$KERNEL_VM_SELF" run --kernel "$kernel" --device "$device" --timeout 180 --dmesg "$log" \
        -- "$SELFTEST_FOLDER/examine" "$SELFTEST_FRAMES" "${device%%:*}" \
        >"$SELFTEST_FOLDER/seen" 2>"$SELFTEST_FOLDER/errors" || status=$?
    while IFS='=' read -r name value; do seen[$name]=$value; done <"$SELFTEST_FOLDER/seen"
    seen[dmar]=$(grep -c 'DMAR:.*fault addr' "$log" || true)
    seen[log]=$(kernel_faults "$log" | grep -cv 'DMAR:' || true)

    local verdict=ok
    is_as_expected "$device" "$status" || verdict=FAILED
    if [[ $verdict != ok ]]; then
        fail "$kernel $device: exit status $status"
        cat "$SELFTEST_FOLDER/seen" "$SELFTEST_FOLDER/errors" >&2
        kernel_faults "$log" >&2 || true
    fi
    add_row "$kernel" "$device" "${seen[boot]:-?} s" "${seen[backend]:-?}" "${seen[features]:-?}" \
        "${seen[config]:-?}" "${seen[vduse]:-?}" "${seen[frames]:-?}" "${seen[dmar]}" "${seen[log]}" "$verdict"
}

# Reads `seen` of its caller. A fault is provoked behind the IOMMU, and must be in the log; there is
# nothing to provoke elsewhere.
is_as_expected() {
    local device=$1 status=$2 entries=2048 faults=0
    [[ $device != *entries=* ]] || entries=${device##*entries=}
    [[ $device != vp_vdpa* ]] || faults=1
    ((status == 0)) &&
        [[ ${seen[backend]:-} == "${KERNEL_BACKEND[${device%%:*}]}" ]] &&
        [[ ${seen[vduse]:-} == opens && ${seen[frames]:-} == "$SELFTEST_FRAMES" ]] &&
        [[ ${seen[entries]:-} == "$entries" ]] &&
        is_parameter "$device" use_va "${seen[use_va]:-}" && is_parameter "$device" batch "${seen[batch]:-}" &&
        ((seen[log] == 0 && (faults ? seen[dmar] > 0 : seen[dmar] == 0)))
}

# is_parameter DEVICE NAME VALUE: a parameter the device was asked for is what the module has.
is_parameter() {
    [[ ! $1 =~ [:,]$2=([01]) || $3 == "${BASH_REMATCH[1]}" ]]
}

# The promises of `run`, on one kernel without a device.
check_run_promises() {
    local kernel=$1 status
    say "selftest: output, exit status, share and time limit"

    status=0
    mkdir "$SELFTEST_FOLDER/share"
    # shellcheck disable=SC2016  # the guest expands these
    "$KERNEL_VM_SELF" run --kernel "$kernel" --device none --share "$SELFTEST_FOLDER/share" -- bash -c '
        printf "%s|" "$@"; echo "to stderr" >&2; head -c 3000000 /dev/urandom | tee /share/copy
        touch /tmp/of-the-guest "$0.of-the-guest"; exit 37' "$SELFTEST_FOLDER/name" 'two words' '$HOME' "it's" '' \
        >"$SELFTEST_FOLDER/output" 2>"$SELFTEST_FOLDER/errors" || status=$?
    ((status == 37)) || fail "an exit status of 37 came back as $status"
    # shellcheck disable=SC2016
    { printf '%s|' 'two words' '$HOME' "it's" ''; cat "$SELFTEST_FOLDER/share/copy"; } |
        cmp - "$SELFTEST_FOLDER/output" >&2 || fail "the output differs"
    [[ $(<"$SELFTEST_FOLDER/errors") == 'to stderr' ]] || fail "stderr holds: $(<"$SELFTEST_FOLDER/errors")"
    [[ ! -e $SELFTEST_FOLDER/name.of-the-guest ]] || fail "the guest wrote to the host"

    check_time_limit "$kernel"
    note "run: output, exit status, arguments, share and time limit checked"
}

# A busy machine may not have booted by the first limit, in which case there is no output to keep.
check_time_limit() {
    local kernel=$1 limit status
    for limit in 15 60 240; do
        status=0
        "$KERNEL_VM_SELF" run --kernel "$kernel" --device none --timeout "$limit" \
            -- bash -c 'echo before; sleep 1000' \
            >"$SELFTEST_FOLDER/output" 2>"$SELFTEST_FOLDER/errors" || status=$?
        ((status == 124)) || fail "a time limit of $limit s gave exit status $status"
        [[ $(<"$SELFTEST_FOLDER/output") != before ]] || return 0
    done
    fail "output before the time limit is lost"
}
