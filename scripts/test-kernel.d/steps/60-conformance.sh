# shellcheck shell=bash
# Every rule of vhost-vdpa on this device, and what it says of itself, held against the simulation that stands for it
# (guest/rules.sh).

check conformance check_conformance
check "info of the twin" check_twin_info
