# shellcheck shell=bash
# The cache: one folder per kernel and hash of everything that went into it, holding
#   vmlinuz     the stock kernel
#   initrd      busybox, initramfs/init and the modules of initramfs/modules with what they depend on
#   release     what `uname -r` says
# A folder appears by one rename, when it is whole.

command_build() {
    local kernel=all
    while (($# > 0)); do
        case $1 in
            --kernel) require_value "$1" $#; kernel=$2; shift 2 ;;
            *) die "build does not take '$1'" ;;
        esac
    done
    local kernels=("$kernel")
    [[ $kernel != all ]] || kernels=("${KERNEL_VM_KERNELS[@]}")
    for kernel in "${kernels[@]}"; do
        require_kernel "$kernel"
        built_kernel "$kernel"
    done
}

# built_kernel KERNEL: prints the cache folder of that kernel, built now if need be. Not to be called
# where `set -e` is off (in a condition): a step that failed would go unnoticed.
built_kernel() {
    local kernel=$1 resolved folder
    ensure_tools
    resolved=$(resolve_kernel "$kernel")
    folder=$(cache_folder "$kernel" "$resolved")
    if [[ ! -e $folder/release ]] && package_lists_are_old; then
        refresh_package_lists
        resolved=$(resolve_kernel "$kernel")
        folder=$(cache_folder "$kernel" "$resolved")
    fi
    [[ -e $folder/release ]] || build_once "$kernel" "$folder" "$resolved"
    touch "$folder"
    printf '%s\n' "$folder"
}

# cache_folder KERNEL RESOLVED
cache_folder() {
    local hash
    hash=$(inputs_hash "$1" "$2")
    printf '%s/%s-%s\n' "$KERNEL_VM_CACHE" "$1" "$hash"
}

# inputs_hash KERNEL RESOLVED: what the build depends on, in sixteen digits.
inputs_hash() {
    {
        printf '%s\n' "$2"
        gcc-12 -dumpfullversion
        sha256sum < "$(command -v busybox)"
        cd "$KERNEL_VM_PARTS" && sha256sum build.sh packages.sh "kbuild/$1" initramfs/* modules/*
    } | sha256sum | head -c 16
}

# build_once KERNEL FOLDER RESOLVED: under a lock, so that of two that come together one builds.
build_once() {
    local kernel=$1 folder=$2 resolved=$3 lock
    mkdir -p "$KERNEL_VM_CACHE"
    exec {lock}>"$KERNEL_VM_CACHE/$kernel.lock"
    flock "$lock"
    if [[ ! -e $folder/release ]]; then
        build_kernel "$kernel" "$folder" "$resolved"
        forget_old_builds "$kernel"
    fi
    exec {lock}>&-
}

# build_kernel KERNEL FOLDER RESOLVED: in a subshell whose end removes the working folder.
build_kernel() (
    local kernel=$1 folder=$2 work release packages started=$SECONDS
    { read -r release; mapfile -t packages; } <<<"$3"
    rm -rf "$KERNEL_VM_CACHE/building-$kernel".*
    work=$(mktemp -d "$KERNEL_VM_CACHE/building-$kernel.XXXXXX")
    trap 'rm -rf "$work"' EXIT

    say "building $release in $work"
    mkdir -p "$work"/{debs,tree,source,modules,out}
    fetch_packages "$work/debs" "${packages[@]}" || die \
        "apt-get could not download ${packages[*]%% *}: if the archive has moved on, run apt-get update"
    unpack_packages "$work"
    relocate_headers "$work/tree/usr/src" "$release"
    build_modules "$kernel" "$work" "$release" >"$work/make.log" 2>&1 || {
        tail -n 40 "$work/make.log" >&2
        die "the modules of $release do not compile: kbuild/$kernel needs mending"
    }
    collect_modules "$work" "$release"
    pack_initrd "$work" >"$work/out/initrd"
    cp "$work/tree/boot/vmlinuz-$release" "$work/out/vmlinuz"
    printf '%s\n' "$release" >"$work/out/release"
    mv -T "$work/out" "$folder"
    say "built $release in $((SECONDS - started)) s"
)

# Unpacks the packages into tree/, and the drivers' sources of the source package into source/.
unpack_packages() {
    local work=$1 deb
    for deb in "$work"/debs/*.deb; do
        case ${deb##*/} in
            linux-source-*)
                dpkg-deb --fsys-tarfile "$deb" |
                    tar -x -O --wildcards './usr/src/linux-source-*.tar.xz' |
                    tar -x -J -C "$work/source" --strip-components=2 --wildcards \
                        '*/drivers/vhost' '*/drivers/vdpa' '*/drivers/virtio' ;;
            *) dpkg-deb -x "$deb" "$work/tree" ;;
        esac
        rm "$deb"
    done
}

# relocate_headers USR_SRC RELEASE: the headers name one absolute path. Their vmlinux serves only to
# give modules BTF, which would need pahole.
relocate_headers() {
    local headers=$1/linux-headers-$2
    sed -i "s|/usr/src/|$1/|" "$headers/Makefile"
    rm -f "$headers/vmlinux"
}

# The modules that Debian leaves out, compiled where their sources lie, and our own.
build_modules() {
    local kernel=$1 work=$2 release=$3
    cp "$KERNEL_VM_PARTS/kbuild/$kernel" "$work/source/Kbuild"
    cp "$KERNEL_VM_PARTS"/modules/*.c "$work/source/"
    nice make -C "$work/tree/usr/src/linux-headers-$release" M="$work/source" CC=gcc-12 \
        -j "$(nproc)" modules
}

# Puts into modules/ the listed modules and what they depend on, uncompressed (the guest's emulated
# processor would take longer to do it), and nothing else.
collect_modules() {
    local work=$1 release=$2 stock=$1/tree/lib/modules/$2 kept=$1/modules/lib/modules/$2 files
    mkdir -p "$stock/extra" "$kept"
    cp "$work"/source/*.ko "$stock/extra/"
    depmod -b "$work/tree" "$release"
    files=$(module_files "$work/tree" "$release")
    xargs cp -t "$kept" <<<"$files"
    find "$kept" -name '*.ko.xz' -exec xz -d {} +
    find "$kept" -name '*.ko' -exec strip --strip-debug {} +
    cp "$stock"/modules.{builtin,builtin.modinfo,order} "$kept/"
    depmod -b "$work/modules" "$release"
}

# module_files TREE RELEASE: the file of every listed module and of each module under it, once.
module_files() {
    local names
    mapfile -t names < <(sed -e 's/#.*//' -e 's/ *$//' -e '/^$/d' "$KERNEL_VM_PARTS/initramfs/modules")
    modprobe -d "$1" -S "$2" --show-depends -a "${names[@]}" | awk '$1 == "insmod" { print $2 }' | sort -u
}

# pack_initrd WORK: the archive on stdout. Not compressed, for the same reason as the modules.
pack_initrd() {
    local root=$1/modules
    mkdir -p "$root"/{bin,dev,proc,sys,lower,overlay,newroot}
    cp "$(command -v busybox)" "$root/bin/busybox"
    install -m 755 "$KERNEL_VM_PARTS/initramfs/init" "$root/init"
    (cd "$root" && find . -mindepth 1 -print0 | cpio -0 -o -H newc --quiet --owner=0:0)
}

# Builds of a kernel that nothing used for two weeks.
forget_old_builds() {
    find "$KERNEL_VM_CACHE" -maxdepth 1 -name "$1-*" -type d -mtime +14 -exec rm -rf {} +
}
