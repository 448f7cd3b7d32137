#!/usr/bin/env python3
"""Holds what scripts/bench counted on the kernel's vdpa_sim against what a stop and start may cost.

limits.py FOLDER     prints a line for each limit; exit status 1 where one is passed or something was not counted
"""
import sys

import compare

# What emu may execute for each instruction of the C floor's.
FLOOR = {"persist": 1.3, "resume": 1.3, "remap": 1.05}
# What the largest memory may take of what the smallest does, where no map is touched.
GROWTH = 1.1


def check(folder):
    """Every limit: what it is of, what was counted, and whether it holds."""
    base, _, alone, turns = compare.counts(folder)
    for strategy, limit in FLOOR.items():
        sizes = sorted(size for name, size in base if name == strategy)
        if not sizes:
            yield f"{strategy}: not counted", False
            continue
        for size in sizes:
            emu = alone.get((strategy, size)) or turns.get((strategy, size))
            if not emu:
                yield f"{strategy}, {compare.memory(size)}: not counted", False
                continue
            ratio = emu["cycle"]["p50"] / base[strategy, size]["p50"]
            yield f"{strategy}, {compare.memory(size)}: {ratio:.3f} of the C floor, at most {limit}", ratio <= limit
        if strategy == "remap":
            continue
        if any((strategy, size) not in turns for size in sizes):
            yield f"{strategy}, in turns with remap: not counted", False
        else:
            first, last = (turns[strategy, size]["cycle"]["p50"] for size in (sizes[0], sizes[-1]))
            yield (f"{strategy}: {last / first:.3f} at {compare.memory(sizes[-1])} of {compare.memory(sizes[0])},"
                   f" in turns with remap, at most {GROWTH}"), last <= first * GROWTH


def main(folder):
    passed = True
    for line, holds in check(folder):
        print(f"check-cycle: {'ok' if holds else 'FAIL'}: {line}")
        passed = passed and holds
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main(sys.argv[1])
