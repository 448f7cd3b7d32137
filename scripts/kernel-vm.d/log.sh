# shellcheck shell=bash
# Kernel logs: what in them is a fault.

# A line of a kernel log that says the kernel, or a device behind the IOMMU, did wrong.
VM_FAULT_PATTERN='WARNING:|BUG:|Oops|Kernel panic|general protection|DMAR:.*(fault|\[DMA )|'
VM_FAULT_PATTERN+='soft lockup|hung_task|blocked for more than|rcu.*detected .*stall|refcount_t:|'
VM_FAULT_PATTERN+='UBSAN:|KASAN:|scheduling while atomic'

kernel_faults() { grep -E "$VM_FAULT_PATTERN" "$1"; }

command_scan() {
    (($# == 1)) || die "scan takes one file"
    [[ -r $1 ]] || die "cannot read $1"
    ! kernel_faults "$1"
}

# report_faults FILE SHOWN_AS: on stderr, when there are any.
report_faults() {
    local count
    count=$(kernel_faults "$1" | wc -l) || true
    ((count == 0)) || say "the kernel log holds $count warnings or faults (kernel-vm scan $2), first: $(
        kernel_faults "$1" | head -n 1)"
}
