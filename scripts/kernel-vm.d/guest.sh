# shellcheck shell=bash
# The folder that host and guest share for one run: the guest has it as /run/kernel-vm.
#   guest/     the scripts of kernel-vm.d/guest
#   mode       run or shell
#   window     the terminal's rows and columns, for a shell
#   orders     the devices to make
#   command    a script: folder, environment, command
#   setup, stdout, stderr, status, dmesg    what the guest answers

# prepare_guest FOLDER MODE COMMAND...: MODE is run or shell.
prepare_guest() {
    local folder=$1 mode=$2
    shift 2
    cp -r "$KERNEL_VM_PARTS/guest" "$folder/guest"
    printf '%s\n' "$mode" >"$folder/mode"
    printf '%s\n' "${VM_ORDERS[@]}" >"$folder/orders"
    command_script "$@" >"$folder/command"
    [[ $mode != shell ]] || stty size >"$folder/window"
    : >"$folder/stdout"
    : >"$folder/stderr"
}

# command_script COMMAND...: the search paths are the host's, so that what runs here runs there.
command_script() {
    printf '%s\n' '#!/bin/bash'
    printf 'export PATH=%q:/run/kernel-vm/guest/bin HOME=/root TERM=%q\n' "$PATH" "${TERM:-dumb}"
    [[ -z ${LD_LIBRARY_PATH:-} ]] || printf 'export LD_LIBRARY_PATH=%q\n' "$LD_LIBRARY_PATH"
    printf 'cd %q || exit %d\n' "$PWD" "$VM_FAILURE"
    printf 'exec %s\n' "${*@Q}"
}
