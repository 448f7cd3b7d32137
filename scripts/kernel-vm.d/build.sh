# shellcheck shell=bash
# The cache: one folder per kernel and hash of everything that went into it, holding
#   vmlinuz     the stock kernel
#   initrd      busybox, initramfs/init and the modules of initramfs/modules with what they depend on
#   release     what `uname -r` says
# A folder appears by one rename, when it is whole.

command_build() {
    local kernel=all kernels
    while (($# > 0)); do
        case $1 in
            --kernel) require_value "$1" $#; kernel=$2; shift 2 ;;
            *) die "build does not take '$1'" ;;
        esac
    done
    mapfile -t kernels < <(kernels_of "$kernel")
    for kernel in "${kernels[@]}"; do
        require_kernel "$kernel"
        built_kernel "$kernel"
    done
}

# built_kernel KERNEL: prints the cache folder of that kernel, built now if need be. What cannot be had now, but was built by
# the same recipe before, is that. Not to be called where `set -e` is off (in a condition): a step that failed would go
# unnoticed.
built_kernel() {
    local kernel=$1 folder='' status
    load_kernel "$kernel"
    ensure_tools
    mkdir -p "$KERNEL_VM_CACHE"
    set +e
    folder=$(set -e; obtain_kernel "$kernel")
    status=$?
    set -e
    if ((status == VM_UNAVAILABLE)); then
        folder=$(kept_build "$kernel")
        [[ -n $folder ]] || exit "$status"
        say "$kernel is $(<"$folder/release"), which the cache has from before"
    elif ((status != 0)); then
        exit "$status"
    fi
    touch "$folder"
    printf '%s\n' "$folder"
}

# obtain_kernel KERNEL: prints the folder of what apt offers now. The lists are fetched where something must be built and they
# are old, or name what the archive no longer has.
obtain_kernel() {
    local kernel=$1 folder resolved status refreshed=no
    while true; do
        resolved=$(resolve_kernel "$kernel")
        folder=$(cache_folder "$kernel" "$resolved")
        [[ ! -e $folder/release ]] || break
        status=$VM_UNAVAILABLE
        if [[ $refreshed == yes ]] || ! package_lists_are_old; then
            set +e
            (set -e; build_once "$kernel" "$folder" "$resolved")
            status=$?
            set -e
            ((status != 0)) || break
        fi
        ((status == VM_UNAVAILABLE)) && [[ $refreshed == no ]] || exit "$status"
        refreshed=yes
        refresh_package_lists "$kernel" || say "apt-get could not fetch its package lists: those from before serve"
    done
    printf '%s\n' "$folder"
}

# cache_folder KERNEL RESOLVED
cache_folder() {
    local recipe versions
    recipe=$(recipe_hash)
    versions=$(sha256sum <<<"$2" | head -c 8)
    printf '%s/%s-%s-%s\n' "$KERNEL_VM_CACHE" "$1" "$recipe" "$versions"
}

# recipe_hash: what the build depends on besides the packages' versions.
recipe_hash() {
    {
        declare -p "${KERNEL_BUILD_FACTS[@]}"
        gcc-12 -dumpfullversion
        sha256sum < "$(command -v busybox)"
        cd "$KERNEL_VM_PARTS" && sha256sum build.sh initramfs/* modules/*
    } | sha256sum | head -c 8
}

# kept_build KERNEL: the newest folder that this recipe made, if there is one.
kept_build() {
    local recipe folder newest=''
    recipe=$(recipe_hash)
    for folder in "$KERNEL_VM_CACHE/$1-$recipe"-*; do
        [[ -e $folder/release ]] || continue
        [[ -n $newest && ! $folder -nt $newest ]] || newest=$folder
    done
    printf '%s\n' "$newest"
}

# build_once KERNEL FOLDER RESOLVED: under a lock, so that of two that come together one builds.
build_once() {
    local kernel=$1 folder=$2 resolved=$3 lock
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
    mkdir -p "$work"/{debs,tree,libraries,source,modules,out}
    fetch_packages "$kernel" "$work/debs" "${packages[@]}"
    unpack_packages "$work"
    relocate_headers "$work/tree/usr/src" "$release"
    relocate_tools "$work"
    build_modules "$work" "$release" >"$work/make.log" 2>&1 || {
        tail -n 40 "$work/make.log" >&2
        die "the modules of $release do not compile: kernels/$kernel needs mending"
    }
    collect_modules "$work" "$release"
    pack_initrd "$work" >"$work/out/initrd"
    image_of "$work/tree" "$release" >"$work/out/vmlinuz"
    printf '%s\n' "$release" >"$work/out/release"
    mv -T "$work/out" "$folder"
    say "built $release in $((SECONDS - started)) s"
)

# image_of TREE RELEASE: the kernel on stdout, from where its packages have it.
image_of() {
    local file
    for file in "$1/boot/vmlinuz-$2" "$1/usr/lib/modules/$2/vmlinuz"; do
        [[ ! -e $file ]] || { cat "$file" && return; }
    done
    die "the packages of $2 hold no vmlinuz"
}

# Unpacks the kernel's packages into tree/, the drivers' sources of the source package into source/, and what its tools are
# linked with into libraries/.
unpack_packages() {
    local work=$1 deb
    for deb in "$work"/debs/*.deb; do
        case ${deb##*/} in
            linux-source-*)
                dpkg-deb --fsys-tarfile "$deb" |
                    tar -x -O --wildcards './usr/src/linux-source-*.tar.xz' |
                    tar -x -J -C "$work/source" --strip-components=2 --wildcards \
                        '*/drivers/vhost' '*/drivers/vdpa' '*/drivers/virtio' ;;
            linux-*) dpkg-deb -x "$deb" "$work/tree" ;;
            *) dpkg-deb -x "$deb" "$work/libraries" ;;
        esac
        rm "$deb"
    done
    # depmod and modprobe look below /lib, which newer packages leave to the system.
    [[ -e $work/tree/lib ]] || ln -s usr/lib "$work/tree/lib"
}

# relocate_headers USR_SRC RELEASE: the headers name one absolute path. Their vmlinux serves only to
# give modules BTF, which would need pahole.
relocate_headers() {
    local headers=$1/linux-headers-$2
    sed -i "s|/usr/src/|$1/|" "$headers/Makefile"
    rm -f "$headers/vmlinux"
}

# relocate_tools WORK: kbuild's own programs, run with the C library that they are linked with, by its loader.
relocate_tools() {
    local work=$1 loader program
    ((${#KERNEL_LIBRARIES[@]} > 0)) || return 0
    loader=$(find "$work/libraries" -name 'ld-linux-x86-64.so.2' -type f | head -n 1)
    [[ -n $loader ]] || die "no loader in ${KERNEL_LIBRARIES[*]}"
    find "$work/tree/usr/lib" -path '*/linux-kbuild-*' -type f -perm -u+x >"$work/tools"
    while read -r program; do
        # Scripts stay as they are.
        head -c 4 "$program" | cmp -s - <(printf '\177ELF') || continue
        mv "$program" "$program.elf"
        # Some of them look for a program beside their own name.
        # shellcheck disable=SC2016  # the script expands these
        printf '#!/bin/sh\nexec %q --library-path %q --argv0 "$0" "$0.elf" "$@"\n' "$loader" "${loader%/*}" >"$program"
        chmod +x "$program"
    done <"$work/tools"
}

# The modules that Debian leaves out, compiled where their sources lie, and our own.
build_modules() {
    local work=$1 release=$2 module
    cp "$KERNEL_VM_PARTS"/modules/*.c "$work/source/"
    {
        printf '%s\n' "$KERNEL_KBUILD"
        for module in "$KERNEL_VM_PARTS"/modules/*.c; do
            module=${module##*/}
            echo "obj-m += ${module%.c}.o"
        done
    } >"$work/source/Kbuild"
    nice make -C "$work/tree/usr/src/linux-headers-$release" M="$work/source" CC=gcc-12 "${KERNEL_MAKE[@]}" \
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
