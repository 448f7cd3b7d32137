# shellcheck shell=bash
# Devices that pin what a program maps, and the limit of that. Sourced by the parts of test-foreign.

# Variables go from this file to its users.
# shellcheck disable=SC2034

# pins DEVICE: whether it pins.
pins() { [[ $1, =~ ^(mlx5|platform|stateful|vp-vdpa|vendor), || $1, == *,use-va=off,* ]]; }

# allow_pins: raises the program's own limit. Where not even root may, `limit` has the simulated kernel let it pass.
limit=
allow_pins() { ulimit -l unlimited 2>/dev/null || limit=,memlock=unlimited; }
