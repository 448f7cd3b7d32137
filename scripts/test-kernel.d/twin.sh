# shellcheck shell=bash
# The simulation that stands for a device, asked what the guest's conformance step compares the device with. It needs no
# kernel of its own, so it is asked here, where an answer takes a second, and not on the emulated processor.

# twin_of KERNEL DEVICE: the simulated device with the same kernel, parent and parameters. The kernel is the one whose facts
# are loaded.
twin_of() {
    local device=$2 option spec=sim,kernel=$1 parent=set-map
    local name=${device%%:*}
    local options=${device#"$name"}
    if [[ $name == vp_vdpa ]]; then
        parent=vp-vdpa
        spec+=,profile=qemu-net
    else
        spec+=,profile=vdpasim-net
    fi
    while read -r option; do
        case $option in
            batch=0) parent=dma-map ;;
            use_va=0) spec+=,use-va=off ;;
            use_va=1) spec+=,use-va=on ;;
            entries=*) [[ $KERNEL_COUNTS_ENTRIES == no ]] || spec+=,$option ;;
        esac
    done < <(tr ',' '\n' <<<"${options#:}")
    echo "$spec,parent=$parent"
}

# ask_twin SPEC FOLDER: a simulated device's description in FOLDER/twin-spec, what it says of itself in twin-info.json, the
# outcome of every rule in conformance-twin.json. Rule 57 needs a limit of locked memory.
ask_twin() {
    local spec=$1 folder=$2 status=0
    mkdir -p "$folder"
    echo "$spec" >"$folder/twin-spec"
    "$EMU" info --json --device "$spec" >"$folder/twin-info.json" 2>"$folder/twin-info.txt" ||
        die "emu info --device $spec failed: $(tail -n 1 "$folder/twin-info.txt")"
    (ulimit -l 8192 && exec "$EMU" check --json --device "$spec") \
        >"$folder/conformance-twin.json" 2>"$folder/conformance-twin.txt" || status=$?
    # 1 says that something was found wrong, which is for the comparison to tell.
    ((status <= 1)) || die "emu check --device $spec ended with $status: $(tail -n 1 "$folder/conformance-twin.txt")"
}
