# shellcheck shell=bash
# What a script says of itself, the same way in each. Sourced by the scripts; $0 is the script.

# Before the script changes its folder.
USAGE_OF=$(realpath "$0")

# What the user has typed, which a part of a script is told by lib/dispatch.bash. Not for the scripts that it calls.
SCRIPT_NAME=${SCRIPT_NAME:-${0##*/}}
export -n SCRIPT_NAME

# usage: the comment at the head of the script.
usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$USAGE_OF"; }

# refuse WORDS: ends the script with status 2 and one line.
refuse() {
    echo "$SCRIPT_NAME: $*" >&2
    exit 2
}

# help_if_asked ARGUMENT…: prints the usage and ends the script where the first argument asks for it.
help_if_asked() {
    case ${1:-} in
        -h | --help)
            usage
            exit 0
            ;;
    esac
}

# no_option ARGUMENT: refuses an argument that the script has no use for.
no_option() { refuse "no option '$1': $SCRIPT_NAME --help lists them"; }

# whole_number NAME VALUE: refuses what is no whole number above zero.
whole_number() { [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || refuse "$1 takes a whole number above 0, not '$2'"; }
