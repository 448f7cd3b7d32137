#!/bin/sh
# What a stop and start costs at two sizes of guest memory, as a page with plots: cycle-report/index.html.
# Needs no device and no root.
set -eu
emu=${EMU:-emu}

"$emu" cycle --memory 64M,256M --cycles 20 --report cycle-report
