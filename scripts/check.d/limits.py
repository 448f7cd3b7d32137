#!/usr/bin/env python3
"""Holds what scripts/bench cycle counted on the kernel's vdpa_sim against what a stop and start may cost.

limits.py FOLDER SIZE SIZE…     the sizes, in MiB, that must have been counted, ascending; prints a line for each limit;
                                exit status 1 where one is passed, or something was not counted or cannot be compared
"""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, f"{os.path.dirname(os.path.realpath(__file__))}/../bench.d")
import counts

# What the largest memory may take of what the smallest does, where no map is touched.
GROWTH = 1.1


def against_floor(strategy, size, emu, floor):
    """What emu counted beside the floor, each None where it was not: the words, and whether it holds."""
    name = f"{strategy}, {counts.memory(size)}"
    missing = [who for who, counted in (("emu", emu), ("the C floor", floor)) if not counted]
    if missing:
        return f"{name}: not counted: {' and '.join(missing)}", False
    if strategy == "remap" and not counts.alike(emu, floor):
        return (f"{name}: cannot be compared: emu's memory lay in {emu['contiguousRuns']} runs, the C floor's in {floor['runs']},"
                f" more than one for each MiB apart"), False
    least, most = counts.LIMITS[strategy]
    ratio = counts.executed(strategy, emu["cycle"]) / counts.executed(strategy, floor)
    runs = f", runs {emu['contiguousRuns']} and {floor['runs']}" if strategy == "remap" else ""
    return f"{name}: {ratio:.3f} of the C floor, at least {least}, at most {most}{runs}", least <= ratio <= most


def growth(strategy, sizes, turns):
    """What the largest memory takes of what the smallest does: the words, and whether it holds."""
    if len(sizes) < 2 or any((strategy, size) not in turns for size in sizes):
        return f"{strategy}, in turns with remap: not counted at two sizes", False
    first, last = (turns[strategy, size]["cycle"]["p50"] for size in (sizes[0], sizes[-1]))
    return (f"{strategy}: {last / first:.3f} at {counts.memory(sizes[-1])} of {counts.memory(sizes[0])},"
            f" in turns with remap, at most {GROWTH}"), last <= first * GROWTH


def check(folder, sizes):
    """Every limit: what it is of, what was counted, and whether it holds."""
    base, _, alone, turns = counts.counts(folder)
    for strategy in counts.LIMITS:
        emu = turns if strategy == "remap" else alone
        for size in sizes:
            yield against_floor(strategy, size, emu.get((strategy, size)), base.get((strategy, size)))
        if strategy != "remap":
            yield growth(strategy, sizes, turns)


def main(folder, mebibytes):
    passed = True
    for line, holds in check(folder, [int(one) << 20 for one in mebibytes]):
        print(f"check cycle: {'ok' if holds else 'FAIL'}: {line}")
        passed = passed and holds
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
