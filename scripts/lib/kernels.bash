# shellcheck shell=bash
# The kernels that kernel-vm has: a file each in kernel-vm.d/kernels, whose name is the kernel's. Sourced, also in the guest.
# docs/kernel-vm.md ("To add a kernel") says what a file holds.

KERNEL_FOLDER=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../kernel-vm.d/kernels")

# kernel_names: one a line: the default, then the others, the newest first.
kernel_names() {
    local default
    default=$(default_kernel)
    printf '%s\n' "$default"
    (cd "$KERNEL_FOLDER" && printf '%s\n' *) | sort -rV | grep -vxF "$default" || true
}

# default_kernel: the one that is booted where none is named.
default_kernel() { (cd "$KERNEL_FOLDER" && grep -lx 'KERNEL_DEFAULT=yes' -- *); }

is_kernel() { [[ $1 != */* && -f $KERNEL_FOLDER/$1 ]]; }

# kernel_choice: as a usage names them, 6.12|6.1.
kernel_choice() {
    local names
    mapfile -t names < <(kernel_names)
    (IFS='|' && printf '%s\n' "${names[*]}")
}

# load_kernel NAME: what its file says, into KERNEL_…. Status 1 where there is none.
# shellcheck disable=SC2034  # read by those who load it
load_kernel() {
    is_kernel "$1" || return 1
    KERNEL_DEFAULT=no KERNEL_SUITES=() KERNEL_PACKAGES=() KERNEL_LIBRARIES=() KERNEL_MAKE=() KERNEL_KBUILD=''
    KERNEL_HAS_USE_VA=yes KERNEL_COUNTS_ENTRIES=yes KERNEL_TEST_STEPS='' KERNEL_TEST_DEVICES=() KERNEL_VDUSE_BESIDE=''
    declare -gA KERNEL_BACKEND=() KERNEL_FEATURES=()
    # shellcheck source=/dev/null
    source "$KERNEL_FOLDER/$1"
}

# What of a file decides how its kernel is built. The rest says what the built one is, and is not built again for.
# shellcheck disable=SC2034
KERNEL_BUILD_FACTS=(KERNEL_SUITES KERNEL_PACKAGES KERNEL_LIBRARIES KERNEL_MAKE KERNEL_KBUILD)

# serves_vduse DEVICE: whether the loaded kernel's VM with this device has one of VDUSE's as well, for test-kernel.
serves_vduse() { [[ $1 == "$KERNEL_VDUSE_BESIDE" ]]; }

# why_not_run STATUS MESSAGES: after `kernel-vm build`, of the loaded kernel: why it is not to be had, where that is no failure: it is in
# an archive that the machine's own apt does not have. Status 1 where it was built, or has to be: what does not compile, and what
# the machine's own suites do not give, is a failure.
why_not_run() {
    (($1 == 69 && ${#KERNEL_SUITES[@]} > 0)) || return 1
    sed -n '$s/^kernel-vm: //p' "$2"
}

# kernel_persists: whether it offers IOTLB_PERSIST, backend feature 8.
kernel_persists() { ((KERNEL_BACKEND[vdpasim] & 1 << 8)); }
