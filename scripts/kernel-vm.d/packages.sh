# shellcheck shell=bash
# Which Debian packages hold a kernel, and how they are fetched. They are unpacked, never installed: installing them would
# pull an initramfs and a boot loader's configuration onto the host.
#
# A kernel's file names the suites that it is in where the machine's own apt does not have them. Those have lists of their
# own in the cache, and the machine's apt knows nothing of them.

# The status of a kernel whose packages are not to be had, be it that the network or that the archive has them not.
VM_UNAVAILABLE=69

# unavailable KERNEL WORDS: the reason, on one line.
unavailable() {
    say "$1 is not to be had: ${*:2}"
    exit "$VM_UNAVAILABLE"
}

has_own_lists() { ((${#KERNEL_SUITES[@]} > 0)); }

# lists_folder: of apt's lists for this kernel.
lists_folder() {
    if has_own_lists; then echo "$(own_folder)/lists"; else echo /var/lib/apt/lists; fi
}

own_folder() { (IFS=+ && echo "$KERNEL_VM_CACHE/apt-${KERNEL_SUITES[*]}"); }

# ask PROGRAM ARGUMENT...: apt-get or apt-cache with this kernel's lists. A host that does not answer is not waited for long,
# and nothing for more than five minutes.
ask() {
    local program=$1 own options=(-o "APT::Sandbox::User=$(id -un)" -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20)
    shift
    if has_own_lists; then
        own=$(own_folder)
        options+=(
            -o "Dir::Etc::sourcelist=$own/sources.list" -o Dir::Etc::sourceparts=/dev/null
            -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
            -o "Dir::State::lists=$own/lists" -o Dir::State::status=/dev/null -o "Dir::Cache=$own/cache"
        )
    fi
    timeout 300 "$program" "${options[@]}" "$@"
}

# refresh_package_lists KERNEL: fetches this kernel's lists. Where that fails they stay as they are, and the status is 1.
refresh_package_lists() {
    local own lock status=0
    say "fetching apt's package lists${KERNEL_SUITES[*]:+ of ${KERNEL_SUITES[*]}}"
    if ! has_own_lists; then
        apt_get update -qq
        return
    fi
    own=$(own_folder)
    mkdir -p "$own"/{lists,cache/archives}/partial
    exec {lock}>"$own/lock"
    flock "$lock"
    own_sources "$1" >"$own/sources.list.new"
    mv "$own/sources.list.new" "$own/sources.list"
    # Without the mode, apt-get calls it a success to have got nothing.
    ask apt-get -qq -o APT::Update::Error-Mode=any update >"$own/log" 2>&1 </dev/null || status=1
    ((status == 0)) || grep -E '^(E|W):' "$own/log" | head -n 3 >&2 || true
    exec {lock}>&-
    return "$status"
}

# own_sources KERNEL: the suites, from where the machine has Debian itself, trusted by Debian's keys on it.
own_sources() {
    local archive suite trusted='' keys=/usr/share/keyrings/debian-archive-keyring.gpg
    archive=$(machine_archive)
    if [[ -z $archive ]]; then
        apt_get update -qq >&2 || true
        archive=$(machine_archive)
    fi
    [[ -n $archive ]] || unavailable "$1" "the machine's apt does not say where it has Debian's main from: run apt-get update"
    [[ ! -e $keys ]] || trusted="[signed-by=$keys] "
    for suite in "${KERNEL_SUITES[@]}"; do echo "deb $trusted$archive $suite main"; done
}

# machine_archive: the address of the archive that the machine's apt has its own release's main from.
machine_archive() {
    local codename
    codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
    # shellcheck disable=SC2016  # apt-get expands these
    apt-get indextargets --format '$(CREATED_BY) $(REPO_URI) $(CODENAME) $(COMPONENT)' |
        awk -v codename="$codename" '$1 == "Packages" && $3 == codename && $4 == "main" && !found { print $2; found = 1 }'
}

# kernel_release KERNEL: what `uname -r` will say of the newest there is, such as 6.1.0-56-amd64. Empty if apt has none.
kernel_release() {
    ask apt-cache search --names-only "^linux-image-${1//./\\.}\.[0-9]+(-[0-9]+|\+deb[0-9]+)-amd64\$" 2>/dev/null |
        sed -n 's/^linux-image-\([^ ]*\) .*/\1/p' | sort -V | tail -n 1 || true
}

# kernel_packages RELEASE: one name a line.
kernel_packages() {
    local names=("${KERNEL_PACKAGES[@]//RELEASE/$1}")
    printf '%s\n' "${names[@]//ABI/${1%-amd64}}" "${KERNEL_LIBRARIES[@]}"
}

# package_versions PACKAGE...: a line "name version" for each, as apt would fetch them now.
package_versions() {
    ask apt-cache policy "$@" |
        awk '/^[^ ].*:$/ { sub(":$", ""); name = $0 } /^  Candidate:/ { print name, $2 }'
}

# resolve_kernel KERNEL: the release on the first line, then a line "name version" a package. The
# answer is kept while apt's lists and settings stay as they are: asking apt takes most of a second.
resolve_kernel() {
    local kept=$KERNEL_VM_CACHE/$1.versions stamp answer
    stamp=$(apt_stamp)
    if [[ ! -e $kept || $(head -n 1 "$kept") != "$stamp" ]]; then
        answer=$(ask_apt "$1")
        printf '%s\n' "$(apt_stamp)" "$answer" >"$kept.$$"
        mv "$kept.$$" "$kept"
    fi
    tail -n +2 "$kept"
}

# apt_stamp: changes when what apt would answer may have.
apt_stamp() {
    {
        declare -p "${KERNEL_BUILD_FACTS[@]}"
        # Where there are no lists yet, there is no folder.
        { find "$(lists_folder)" /etc/apt -type f ! -name lock -printf '%p %s %T@\n' 2>/dev/null || true; } | sort
    } | sha256sum
}

# Lists older than a day may name versions that the archive no longer has.
package_lists_are_old() {
    local folder
    folder=$(lists_folder)
    [[ -z $(find "$folder" "$folder/partial" -maxdepth 0 -mmin -1440 2>/dev/null) ]]
}

# ask_apt KERNEL: the same answer, from apt itself, whose lists are fetched if it has none.
ask_apt() {
    local release names versions
    release=$(kernel_release "$1")
    if [[ -z $release ]]; then
        refresh_package_lists "$1" || unavailable "$1" "apt-get could not fetch its package lists"
        release=$(kernel_release "$1")
    fi
    [[ -n $release ]] ||
        unavailable "$1" "apt has no linux-image-$1.* in ${KERNEL_SUITES[*]:-Debian 12\'s main and bookworm-security}"
    names=$(kernel_packages "$release")
    mapfile -t names <<<"$names"
    versions=$(package_versions "${names[@]}")
    (($(wc -l <<<"$versions") == ${#names[@]})) && ! grep -q '(none)' <<<"$versions" ||
        unavailable "$1" "apt has not all of ${names[*]}"
    printf '%s\n' "$release" "$versions"
}

# fetch_packages KERNEL FOLDER "NAME VERSION"...: downloads into FOLDER. Versions may have left the archive since apt's
# lists were fetched.
fetch_packages() {
    local kernel=$1 folder=$2
    shift 2
    (cd "$folder" && ask apt-get -qq download "${@/ /=}" >"$folder/../apt.log" 2>&1 </dev/null) || {
        tail -n 5 "$folder/../apt.log" >&2
        unavailable "$kernel" "apt-get could not download ${*%% *}"
    }
}
