# shellcheck shell=bash
# One VM: its options, QEMU's command line, its output while it runs, its exit status.

command_run() {
    parse_run_options run "$@"
    ((${#VM_COMMAND[@]} > 0)) || die "run needs a command after --"
    boot run
}

command_shell() {
    parse_run_options shell "$@"
    ((${#VM_COMMAND[@]} == 0)) || die "shell takes no command: run does"
    [[ -t 0 ]] || die "shell needs a terminal on its standard input"
    VM_COMMAND=(bash -i)
    boot shell
}

# parse_run_options MODE ARGUMENT...
parse_run_options() {
    VM_KERNEL=$(default_kernel) VM_MEMORY=2G VM_CPUS=2 VM_CLOCK=host VM_SHARE='' VM_DMESG='' VM_CONSOLE=''
    VM_SPECS=() VM_COMMAND=()
    VM_TIMEOUT=300
    [[ $1 != shell ]] || VM_TIMEOUT=0
    shift
    while (($# > 0)); do
        case $1 in
            --) shift; VM_COMMAND=("$@"); break ;;
            --kernel | --device | --timeout | --memory | --cpus | --clock | --share | --dmesg | --console)
                require_value "$1" $#
                set_run_option "$1" "$2"
                shift 2 ;;
            *) die "no option '$1' (a command stands after --)" ;;
        esac
    done
    ((${#VM_SPECS[@]} > 0)) || VM_SPECS=(vdpasim)
    # Of two processors each would wait for the other's turn, and the clock would count that.
    [[ $VM_CLOCK == host || $VM_CPUS == 1 ]] || die "--clock instructions takes --cpus 1"
}

set_run_option() {
    case $1 in
        --kernel) require_kernel "$2"; VM_KERNEL=$2 ;;
        --device) VM_SPECS+=("$2") ;;
        --timeout) require_number "$1" "$2"; VM_TIMEOUT=$2 ;;
        --memory) [[ $2 =~ ^[1-9][0-9]*[MG]$ ]] || die "--memory takes a size such as 2G, not '$2'"; VM_MEMORY=$2 ;;
        --cpus) require_number "$1" "$2"; VM_CPUS=$2 ;;
        --clock) [[ $2 == host || $2 == instructions ]] || die "--clock is host or instructions, not '$2'"; VM_CLOCK=$2 ;;
        --share) [[ -d $2 ]] || die "--share: no folder '$2'"; VM_SHARE=$(realpath "$2") ;;
        --dmesg) VM_DMESG=$2 ;;
        --console) VM_CONSOLE=$2 ;;
    esac
}

VM_FOLDER=''    # of this run; the guest has it as /run/kernel-vm
VM_QEMU_PID=''  # of the running VM
VM_TAIL_PIDS=() # of what follows its output

# boot MODE: builds if need be, runs the VM, returns the command's exit status. Once a process: the end
# of the process stops what still runs and removes the run's folder.
boot() {
    local mode=$1 built
    VM_FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/kernel-vm.XXXXXX")
    trap stop_vm EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP

    load_kernel "$VM_KERNEL"
    plan_devices "$VM_KERNEL" "$VM_FOLDER" "${VM_SPECS[@]}"
    built=$("$KERNEL_VM_SELF" build --kernel "$VM_KERNEL") || exit "$VM_FAILURE"
    prepare_guest "$VM_FOLDER" "$mode" "${VM_COMMAND[@]}"
    qemu_command "$built" "$VM_FOLDER" "$mode"
    if [[ $mode == shell ]]; then
        "${VM_QEMU[@]}" 2>"$VM_FOLDER/qemu.log" || VM_QEMU_STATUS=$?
    else
        run_with_output "$VM_FOLDER"
    fi
    keep_logs "$VM_FOLDER"
    vm_status "$VM_FOLDER"
}

# qemu_command BUILT FOLDER MODE: into VM_QEMU.
qemu_command() {
    local built=$1 folder=$2 mode=$3 clock=(-accel 'tcg,thread=multi')
    # A nanosecond for each instruction, and none for waiting.
    [[ $VM_CLOCK == host ]] || clock=(-accel 'tcg,thread=single' -icount 'shift=0,sleep=off')
    # On a busy host the kernel's look whether the timer ticks may see no tick in time, and panic.
    local kernel_arguments="console=ttyS0 quiet panic=-1 log_buf_len=4M tsc=nowatchdog no_timer_check"
    kernel_arguments+=" watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120"
    # What defends a machine that others use costs an emulated processor much: Debian's kernel clears every page it
    # hands out, and makes every indirect call by a detour.
    kernel_arguments+=" init_on_alloc=0 mitigations=off"
    # QEMU finds translated code again only at the address it had: at another one in each process, most of the time of a
    # short program goes into translating it once more.
    kernel_arguments+=" norandmaps"
    kernel_arguments+=" ${VM_KERNEL_ARGUMENTS[*]:-}"
    # The VM ends with the process that runs it, however that ends.
    VM_QEMU=(setpriv --pdeathsig TERM)
    ((VM_TIMEOUT == 0)) || VM_QEMU+=(timeout --foreground --kill-after=10 "$VM_TIMEOUT")
    # Without `erms` the kernel clears and copies by words: each byte of a `rep stosb` is a store of its own to an emulated
    # processor, and a slow one where the page has held code that was translated.
    VM_QEMU+=(
        qemu-system-x86_64 -M q35 "${clock[@]}" -cpu max,-erms -smp "$VM_CPUS" -m "$VM_MEMORY"
        -nodefaults -display none -no-reboot -serial "file:$folder/console"
        -kernel "$built/vmlinuz" -initrd "$built/initrd" -append "$kernel_arguments"
    )
    share_folder root / readonly=on,multidevs=remap
    share_folder control "$folder" readonly=off
    [[ -z $VM_SHARE ]] || share_folder share "$VM_SHARE" readonly=off
    [[ $mode != shell ]] || VM_QEMU+=(
        -chardev 'stdio,id=terminal,signal=off' -device virtio-serial-pci -device 'virtconsole,chardev=terminal')
    VM_QEMU+=("${VM_QEMU_DEVICES[@]}")
}

# share_folder TAG PATH OPTIONS: a folder of the host's for the guest to mount.
share_folder() {
    VM_QEMU+=(
        -fsdev "local,id=$1,path=${2//,/,,},security_model=none,$3"
        -device "virtio-9p-pci,fsdev=$1,mount_tag=$1"
    )
}

# The guest writes into files of the shared folder, each write being in the file when it returns.
# They are followed as they grow; `tail --pid` reads once more after QEMU has gone.
run_with_output() {
    local folder=$1 pid
    "${VM_QEMU[@]}" </dev/null >"$folder/qemu.log" 2>&1 &
    VM_QEMU_PID=$!
    tail -q -c +1 -s 0.1 -f --pid="$VM_QEMU_PID" "$folder/stdout" 2>/dev/null &
    VM_TAIL_PIDS+=($!)
    tail -q -c +1 -s 0.1 -f --pid="$VM_QEMU_PID" "$folder/stderr" >&2 2>/dev/null &
    VM_TAIL_PIDS+=($!)
    VM_QEMU_STATUS=0
    wait "$VM_QEMU_PID" || VM_QEMU_STATUS=$?
    VM_QEMU_PID=''
    for pid in "${VM_TAIL_PIDS[@]}"; do
        wait "$pid" || true
    done
    VM_TAIL_PIDS=()
}

# The kernel log is the guest's own when it came as far as saving one, else what the console got.
keep_logs() {
    local folder=$1
    [[ -s $folder/dmesg ]] || cp "$folder/console" "$folder/dmesg" 2>/dev/null || : >"$folder/dmesg"
    [[ -z $VM_DMESG ]] || cp "$folder/dmesg" "$VM_DMESG"
    [[ -z $VM_CONSOLE ]] || cp "$folder/console" "$VM_CONSOLE"
    mv "$folder/dmesg" "$KERNEL_VM_CACHE/last-dmesg.$$" &&
        mv -f "$KERNEL_VM_CACHE/last-dmesg.$$" "$KERNEL_VM_CACHE/last-dmesg"
    cp "$folder/console" "$KERNEL_VM_CACHE/last-console" 2>/dev/null || true
    report_faults "$KERNEL_VM_CACHE/last-dmesg" "${VM_DMESG:-$KERNEL_VM_CACHE/last-dmesg}"
}

# vm_status FOLDER: returns the command's exit status, or says why there is none.
vm_status() {
    local folder=$1
    if [[ -s $folder/status ]]; then
        return "$(<"$folder/status")"
    fi
    if ((${VM_QEMU_STATUS:-0} == 124 || ${VM_QEMU_STATUS:-0} == 137)); then
        say "the time limit of $VM_TIMEOUT s passed"
        return 124
    fi
    say "the VM ended without an exit status; its messages:"
    tail -q -n 25 "$folder/qemu.log" "$folder/console" >&2 2>/dev/null || true
    return "$VM_FAILURE"
}

stop_vm() {
    [[ -z $VM_QEMU_PID ]] || kill "$VM_QEMU_PID" 2>/dev/null || true
    ((${#VM_TAIL_PIDS[@]} == 0)) || kill "${VM_TAIL_PIDS[@]}" 2>/dev/null || true
    [[ -z $VM_QEMU_PID ]] || wait "$VM_QEMU_PID" 2>/dev/null || true
    rm -rf "$VM_FOLDER"
}
