# shellcheck shell=bash
# Which Debian packages hold a kernel, and how they are fetched. They are unpacked, never installed:
# installing them would pull an initramfs and a boot loader's configuration onto the host.

# meta_package KERNEL: the package that depends on the newest image of that series.
meta_package() {
    case $1 in
        6.12) echo linux-image-6.12-amd64 ;;
        6.1) echo linux-image-amd64 ;;
    esac
}

# kbuild_package KERNEL RELEASE: the name carries the full version from 6.12 on.
kbuild_package() {
    case $1 in
        6.12) echo "linux-kbuild-${2%-amd64}" ;;
        6.1) echo linux-kbuild-6.1 ;;
    esac
}

# kernel_release KERNEL: what `uname -r` will say, such as 6.1.0-56-amd64. Empty if apt has none.
kernel_release() {
    apt-cache depends "$(meta_package "$1")" 2>/dev/null |
        sed -n "s/^ *Depends: linux-image-\(${1//./\\.}\.[^ ]*-amd64\)\$/\1/p" | head -n 1
}

# kernel_packages KERNEL RELEASE: one name a line.
kernel_packages() {
    local release=$2
    printf '%s\n' "linux-image-$release" "linux-headers-$release" \
        "linux-headers-${release%-amd64}-common" "$(kbuild_package "$1" "$release")" "linux-source-$1"
}

# package_versions PACKAGE...: a line "name version" for each, as apt would fetch them now.
package_versions() {
    apt-cache policy "$@" |
        awk '/^[^ ].*:$/ { sub(":$", ""); name = $0 } /^  Candidate:/ { print name, $2 }'
}

# resolve_kernel KERNEL: the release on the first line, then a line "name version" a package. The
# answer is kept while apt's lists and settings stay as they are: asking apt takes most of a second.
resolve_kernel() {
    local kept=$KERNEL_VM_CACHE/$1.versions stamp answer
    stamp=$(apt_stamp)
    if [[ ! -e $kept || $(head -n 1 "$kept") != "$stamp" ]]; then
        answer=$(ask_apt "$1")
        mkdir -p "$KERNEL_VM_CACHE"
        printf '%s\n' "$(apt_stamp)" "$answer" >"$kept.$$"
        mv "$kept.$$" "$kept"
    fi
    tail -n +2 "$kept"
}

# apt_stamp: changes when what apt would answer may have.
apt_stamp() {
    find /var/lib/apt/lists /etc/apt -type f ! -name lock -printf '%p %s %T@\n' | sort | sha256sum
}

# Lists older than a day may name versions that the archive no longer has.
package_lists_are_old() {
    [[ -z $(find /var/lib/apt/lists /var/lib/apt/lists/partial -maxdepth 0 -mmin -1440) ]]
}

# ask_apt KERNEL: the same answer, from apt itself, whose lists are fetched if it has none.
ask_apt() {
    local release names
    release=$(kernel_release "$1")
    if [[ -z $release ]]; then
        refresh_package_lists
        release=$(kernel_release "$1")
    fi
    [[ -n $release ]] ||
        die "apt offers no kernel $1: $(meta_package "$1") is in Debian 12's main and bookworm-security"
    mapfile -t names < <(kernel_packages "$1" "$release")
    printf '%s\n' "$release"
    package_versions "${names[@]}"
}

# fetch_packages FOLDER "NAME VERSION"...: downloads into FOLDER. Versions that have left the archive
# since apt's lists were fetched are reported as such by the caller.
fetch_packages() {
    local folder=$1
    shift
    (cd "$folder" && apt-get download -qq -o APT::Sandbox::User="$(id -un)" "${@/ /=}" >&2)
}
