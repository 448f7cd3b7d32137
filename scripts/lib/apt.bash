# shellcheck shell=bash
# apt-get for scripts: as root, asking nothing, and after whoever installs something right now. Sourced.

# How long another installation may hold apt's locks, and how often one that apt does not wait for is tried again.
APT_WAIT=${APT_WAIT:-600} APT_RETRY=${APT_RETRY:-2}

# as_root COMMAND…: through sudo where this is not root. Status 126 where neither will do.
as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        sudo "$@"
    else
        echo "${0##*/}: this needs root, and there is no sudo; run as root: $*" >&2
        return 126
    fi
}

# apt_get ARGUMENT…: apt-get itself waits for the locks of dpkg, for those of the package lists and of the downloads
# it does not. What it says is shown where it fails.
apt_get() {
    local log status until=$((SECONDS + APT_WAIT)) told=
    log=$(mktemp) || return
    while true; do
        status=0
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -o "DPkg::Lock::Timeout=$APT_WAIT" "$@" >"$log" 2>&1 </dev/null ||
            status=$?
        if ((status == 0 || SECONDS >= until)) || ! grep -qE 'Could not get lock|Unable to (acquire|lock)' "$log"; then break; fi
        [[ -n $told ]] || echo "${0##*/}: another installation holds apt's lock; waiting for it, $APT_WAIT s at the most" >&2
        told=yes
        sleep "$APT_RETRY"
    done
    ((status == 0)) || tail -n 15 "$log" >&2
    rm -f "$log"
    return "$status"
}

# apt_install PACKAGE…: with lists of today, where they can be had.
apt_install() {
    apt_get update -qq || echo "${0##*/}: the package lists could not be fetched; installing from those that are here" >&2
    apt_get install -y -qq --no-install-recommends "$@"
}
