# shellcheck shell=bash
# A script with parts: each is a program in NAME.d. Sourced after usage.bash.

# parts: the names in NAME.d that can be called. What has a dot belongs to one of them.
parts() {
    local file
    for file in "$USAGE_OF.d"/*; do
        [[ ${file##*/} == *.* || -d $file || ! -x $file ]] || echo "${file##*/}"
    done
}

# call_part PART WORD ARGUMENT…: becomes that part, which calls itself NAME WORD.
call_part() { SCRIPT_NAME="$SCRIPT_NAME $2" exec "$USAGE_OF.d/$1" "${@:3}"; }

# dispatch [PART [ARGUMENT…]]: for a script that is nothing but its parts.
dispatch() {
    local names name
    help_if_asked "$@"
    case ${1:-} in
        '')
            usage >&2
            exit 2
            ;;
        -*) no_option "$1" ;;
    esac
    mapfile -t names < <(parts)
    for name in "${names[@]}"; do [[ $name != "$1" ]] || call_part "$name" "$@"; done
    printf -v names '%s, ' "${names[@]}"
    refuse "no '$1': use one of ${names%, }"
}
