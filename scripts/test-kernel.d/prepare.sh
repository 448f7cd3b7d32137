# shellcheck shell=bash
# What a run needs: programs, emu, the test bundle, the small programs for the guest, the kernels.

# shellcheck source=SCRIPTDIR/../lib/apt.bash
source "$ROOT/scripts/lib/apt.bash"

prepare() {
    local started=$SECONDS
    install_tools
    build_emu
    build_example
    build_probes
    prepare_kernels
    say "ready after $((SECONDS - started)) s"
}

# prepare_kernels: into `kernels` those that can be booted, into `not_run` a line for each that is in an archive that the
# machine's own apt does not have, and is not to be had now. It is no failure of emu's, nor is it passed.
prepare_kernels() {
    local kernel status wanted why
    mapfile -t wanted < <(if [[ ${only_kernel:-all} == all ]]; then kernel_names; else echo "$only_kernel"; fi)
    for kernel in "${wanted[@]}"; do
        load_kernel "$kernel"
        status=0
        "$VM" build --kernel "$kernel" >/dev/null 2>"$WORK/build" || status=$?
        cat "$WORK/build" >&2
        if ((status == 0)); then
            kernels+=("$kernel")
        elif why=$(why_not_run "$status" "$WORK/build"); then
            not_run+=("$kernel: not run: $why")
            say "${not_run[-1]}"
        else
            die "$kernel: kernel-vm build ended with $status"
        fi
    done
    ((${#kernels[@]} > 0)) || die "no kernel to boot"
}

# kernel-vm installs what it needs itself.
install_tools() {
    "$ROOT/scripts/bootstrap" strace gojq iperf3 ping || exit 2
    command -v gcc-12 >/dev/null && return
    say "installing gcc-12"
    apt_install gcc-12 || die "apt-get could not install gcc-12"
}

# The binary that users get, the release build, and beside it the tests that run on a real device, optimised like it: an
# emulated processor has a dozen seconds more with the others.
build_emu() {
    local options=(--package-path "$ROOT" -c release) folder
    if [[ -z ${EMU:-} || -z ${EMU_TESTS:-} ]]; then
        "$ROOT/scripts/bootstrap" swift liburing
        say "building emu and its tests on a real device"
        EMU_TEST_TARGETS=EmulatedMachineTests swift build "${options[@]}" --build-tests >"$WORK/build" 2>&1 ||
            { cat "$WORK/build" >&2; die "emu does not build"; }
        folder=$(swift build "${options[@]}" --show-bin-path)
        EMU=${EMU:-$folder/emu} EMU_TESTS=${EMU_TESTS:-$folder/emuPackageTests.xctest}
    fi
    [[ -x $EMU ]] || die "EMU: '$EMU' is no program"
    [[ -x $EMU_TESTS ]] || die "EMU_TESTS: '$EMU_TESTS' is no test bundle"
    EMU=$(realpath "$EMU") EMU_TESTS=$(realpath "$EMU_TESTS")
}

# The first program of Examples/, as scripts/check examples builds it.
build_example() {
    local options=(--package-path "$ROOT/Examples" --scratch-path "$ROOT/.build-examples")
    if [[ -z ${EXAMPLE:-} ]]; then
        "$ROOT/scripts/bootstrap" swift liburing
        say "building the example"
        swift build "${options[@]}" --product frame-out-and-back >"$WORK/build" 2>&1 ||
            { cat "$WORK/build" >&2; die "the example does not build"; }
        EXAMPLE=$(swift build "${options[@]}" --show-bin-path)/frame-out-and-back
    fi
    [[ -x $EXAMPLE ]] || die "EXAMPLE: '$EXAMPLE' is no program"
    EXAMPLE=$(realpath "$EXAMPLE")
}

build_probes() {
    mkdir -p "$WORK/probe"
    gcc-12 -O1 -Wall -Wextra -Werror -o "$WORK/probe/reflect" "$ROOT/scripts/kernel-vm.d/probe/reflect.c"
}
