# shellcheck shell=bash
# The C compiler, by the name it has here. Sourced after usage.bash; scripts/bootstrap cc sees to it that there is one.

# compiler: its path; status 1 where there is none.
compiler() { command -v cc || command -v gcc || command -v clang; }
