# shellcheck shell=bash
# The initrd of QEMU's guest. Sourced by test-foreign qemu and bench exec.

# pack_initrd BUILT FILE: that of kernel-vm (a folder that its `build` has named), with our first process behind it.
pack_initrd() {
    local own
    own=$(mktemp -d)
    install -m 755 "$(dirname "${BASH_SOURCE[0]}")/init" "$own/foreign-init"
    (cd "$own" && echo foreign-init | cpio -o -H newc --quiet --owner=0:0) | cat "$1/initrd" - >"$2"
    rm -r "$own"
}
