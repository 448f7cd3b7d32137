# shellcheck shell=bash
# The programs the VM needs, and the Debian packages that hold them.

# shellcheck source=SCRIPTDIR/../lib/apt.bash
source "$KERNEL_VM_PARTS/../lib/apt.bash"

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

# Installs what is missing, and says so.
ensure_tools() {
    local packages
    mapfile -t packages < <(missing_packages)
    ((${#packages[@]} > 0)) || return 0
    say "installing ${packages[*]}"
    apt_install "${packages[@]}" || die "apt-get could not install: ${packages[*]}"
}
