#!/bin/sh
# What it costs to map guest memory again at every stop: a run of a simulated device with the maps kept, one without, and
# both side by side. Needs no device and no root.
set -eu
emu=${EMU:-emu}

"$emu" run --compare --duration 2s
