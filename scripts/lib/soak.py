"""Watches what a process holds for a while, and compares the end with the beginning. For scripts/soak.

    soak.py PROCESS SECONDS

Exit status 1 where something grew, or the process ended.
"""

import os
import statistics
import sys
import time

# What may be more at the end, and why.
TOLERANCE = {
    # The C library takes memory in steps of 132 KiB, and has an arena for each of the threads.
    "RssAnon": 512,
    # Guest RAM that traffic comes to touch is not new memory: it is bounded by its size, and shown.
    "RssShmem": None,
    # Pinned while maps are made: the most of a window counts, which is all of guest RAM or nothing.
    "VmPin": 0,
    "descriptors": 0,
    "threads": 0,
    # An arena may get another part.
    "mappings": 2,
}
UNITS = {"RssAnon": " KiB", "RssShmem": " KiB", "VmPin": " KiB"}


def sample(process):
    folder = f"/proc/{process}"
    with open(f"{folder}/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    with open(f"{folder}/maps", encoding="utf-8") as file:
        mappings = sum(1 for _ in file)
    numbers = {name: int(status[name].split()[0]) for name in ("RssAnon", "RssShmem", "VmPin")}
    numbers |= {"descriptors": len(os.listdir(f"{folder}/fd")), "threads": len(os.listdir(f"{folder}/task")),
                "mappings": mappings}
    return numbers


def watch(process, seconds):
    """(time, numbers) twenty times a second."""
    begin = time.monotonic()
    samples = []
    while (now := time.monotonic() - begin) < seconds:
        samples.append((now, sample(process)))
        time.sleep(0.05)
    return samples


def main():
    process, seconds = int(sys.argv[1]), int(sys.argv[2])
    try:
        samples = watch(process, seconds)
    except (FileNotFoundError, ProcessLookupError):
        print("  FAIL: emu ended meanwhile")
        return 1
    tenth = min(seconds / 10, 60)
    first = [numbers for when, numbers in samples if tenth <= when < 2 * tenth] or [samples[-1][1]]
    last = [numbers for when, numbers in samples if when >= seconds - tenth] or [samples[-1][1]]
    grown = 0
    for name, tolerance in TOLERANCE.items():
        # Mappings and pins come and go within a cycle: of those the most counts. So do descriptors, and a reader of /proc
        # catches some half way: a leak raises the least of them above what was usual.
        begin, end = {"VmPin": (max, max), "mappings": (max, max), "descriptors": (statistics.median, min)}.get(
            name, (statistics.median, statistics.median))
        before = begin(numbers[name] for numbers in first)
        after = end(numbers[name] for numbers in last)
        bad = tolerance is not None and after > before + tolerance
        grown += bad
        unit = UNITS.get(name, "")
        print(f"  {name:<12} {before:>10,.0f}{unit} after {tenth:.0f} s, {after:>10,.0f}{unit} at the end"
              + ("   FAIL: it grew" if bad else ""))
    return 1 if grown else 0


sys.exit(main())
