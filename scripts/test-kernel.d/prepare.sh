# shellcheck shell=bash
# What a run needs: programs, emu, the test bundle, the small programs for the guest, the kernels.

# Each entry is PROGRAM=PACKAGE. kernel-vm installs what it needs itself.
TEST_KERNEL_TOOLS=(strace=strace jq=jq gcc-12=gcc-12)

prepare() {
    local started=$SECONDS
    install_tools
    build_emu
    build_tests
    build_probes
    "$VM" build --kernel all >/dev/null
    say "ready after $((SECONDS - started)) s"
}

install_tools() {
    local entry packages=() privilege=()
    for entry in "${TEST_KERNEL_TOOLS[@]}"; do
        command -v "${entry%%=*}" >/dev/null || packages+=("${entry#*=}")
    done
    ((${#packages[@]} > 0)) || return 0
    ((EUID == 0)) || privilege=(sudo)
    say "installing ${packages[*]}"
    "${privilege[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null ||
        { "${privilege[@]}" apt-get update -qq >&2 &&
            "${privilege[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; } ||
        die "apt-get could not install: ${packages[*]}"
}

# The binary that users get: the release build.
build_emu() {
    if [[ -z ${EMU:-} ]]; then
        say "building emu"
        swift build --package-path "$ROOT" -c release --product emu >"$WORK/build-emu" 2>&1 ||
            { cat "$WORK/build-emu" >&2; die "emu does not build"; }
        EMU=$(swift build --package-path "$ROOT" -c release --show-bin-path)/emu
    fi
    [[ -x $EMU ]] || die "EMU: '$EMU' is no program"
    EMU=$(realpath "$EMU")
}

build_tests() {
    if [[ -z ${EMU_TESTS:-} ]]; then
        say "building the tests"
        swift build --package-path "$ROOT" --build-tests >"$WORK/build-tests" 2>&1 ||
            { cat "$WORK/build-tests" >&2; die "the tests do not build"; }
        EMU_TESTS=$(swift build --package-path "$ROOT" --show-bin-path)/emuPackageTests.xctest
    fi
    [[ -x $EMU_TESTS ]] || die "EMU_TESTS: '$EMU_TESTS' is no test bundle"
    EMU_TESTS=$(realpath "$EMU_TESTS")
}

build_probes() {
    mkdir -p "$WORK/probe"
    gcc-12 -O1 -Wall -Wextra -Werror -o "$WORK/probe/reflect" "$ROOT/scripts/kernel-vm.d/probe/reflect.c"
}
