# shellcheck shell=bash
# What every part uses: messages, the cache folder, the kernels there are.

# shellcheck source=SCRIPTDIR/../lib/kernels.bash
source "$KERNEL_VM_PARTS/../lib/kernels.bash"

KERNEL_VM_CACHE=${EMU_KERNEL_VM_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/emu-kernel-vm}

# The exit status of a failure that is the VM's, not the command's.
VM_FAILURE=125

say() { printf 'kernel-vm: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit "$VM_FAILURE"
}

# require_kernel NAME: refuses a kernel this script has no recipe for.
require_kernel() {
    is_kernel "$1" || die "no kernel '$1': $(kernel_choice)"
}

# kernels_of NAME|all: one name a line.
kernels_of() { if [[ $1 == all ]]; then kernel_names; else echo "$1"; fi; }

# require_value OPTION COUNT: COUNT arguments are left, of which OPTION is the first.
require_value() {
    (($2 >= 2)) || die "$1 needs a value"
}

# require_number OPTION VALUE: VALUE is a whole number above zero.
require_number() {
    [[ $2 =~ ^[1-9][0-9]*$ ]] || die "$1 takes a whole number above 0, not '$2'"
}
