# shellcheck shell=bash
# The programs the VM needs, and the Debian packages that hold them.

# Each entry is PROGRAM=PACKAGE or FILE=PACKAGE. The guest uses vdpa, modprobe and ip from the host's file system.
KERNEL_VM_TOOLS=(
    qemu-system-x86_64=qemu-system-x86
    busybox=busybox-static
    vdpa=iproute2
    modprobe=kmod
    cpio=cpio
    xz=xz-utils
    make=make
    gcc-12=gcc-12
    flock=util-linux
    setpriv=util-linux
    /usr/include/linux/vhost.h=linux-libc-dev
    /usr/include/stdio.h=libc6-dev
)

# Administrators' programs stand in folders that an ordinary user's PATH may leave out.
PATH=$PATH:/usr/sbin:/sbin

missing_packages() {
    local entry
    for entry in "${KERNEL_VM_TOOLS[@]}"; do
        is_there "${entry%%=*}" || printf '%s\n' "${entry#*=}"
    done
}

# is_there PROGRAM|FILE: a file is named by its whole path.
is_there() {
    if [[ $1 == /* ]]; then [[ -e $1 ]]; else command -v "$1" >/dev/null; fi
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root, and there is no sudo: run as root: $*"
    fi
}

refresh_package_lists() {
    say "fetching apt's package lists"
    as_root apt-get update -qq >&2
}

# Installs what is missing, and says so. A list that is too old to install from is fetched once.
ensure_tools() {
    local packages
    mapfile -t packages < <(missing_packages)
    ((${#packages[@]} > 0)) || return 0
    say "installing ${packages[*]}"
    install_packages "${packages[@]}" && return 0
    refresh_package_lists
    install_packages "${packages[@]}" || die "apt-get could not install: ${packages[*]}"
}

install_packages() {
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
