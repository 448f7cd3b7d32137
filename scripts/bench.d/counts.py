#!/usr/bin/env python3
"""What scripts/bench cycle counted in one VM, and what it timed without remap in turn: emu beside the C floor, as Markdown.

counts.py all FOLDER        everything of a part
counts.py short FOLDER      instructions beside their limits, for docs/benchmarks.md
counts.py times FOLDER      times of emu.json, for docs/benchmarks.md

What the folder does not have is left out. scripts/check.d/limits.py holds the counts to LIMITS.
"""
import glob
import json
import os
import sys

# What emu may execute for each instruction of the C floor's: at least and at most. The floor makes only the necessary calls, so
# with less than it not the same was counted. Of a remap's memory so much may lie otherwise (alike).
LIMITS = {"persist": (1, 1.3), "resume": (1, 1.3), "remap": (0.98, 1.05)}


def time(microseconds):
    for limit, unit in ((1e6, "s"), (1e3, "ms")):
        # What would be rounded up to it is in the larger unit, too.
        if microseconds >= limit * 0.9995:
            return f"{microseconds / limit:.3g} {unit}"
    return f"{microseconds:.3g} µs"


def farthest(times):
    """The 99th percentile, or the maximum of too few samples for one, by that name."""
    return f"max {time(times['max'])}" if times["p99"] is None else time(times["p99"])


def memory(size):
    return f"{size >> 30} GiB" if size >= 1 << 30 else f"{size >> 20} MiB"


def middle(values):
    """The median; of two the mean."""
    values = sorted(values)
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def load(path):
    """The report in a file, or nothing where the run did not get as far."""
    if not os.path.exists(path) or os.path.getsize(path) == 0:
        return None
    with open(path) as file:
        return json.load(file)


def phases(rows):
    """How many instructions each part of a cycle executes."""
    names = ["drain", "suspend", "baseRead", "unmap", "reset", "negotiate", "map", "vringSetup", "enable"]
    print("\nPhases, medians:\n")
    print("| memory | strategy | " + " | ".join(names) + " |")
    print("|---|---|" + "---|" * len(names))
    for one in rows:
        cells = [instructions(one["phases"][name]) if one["phases"].get(name) else "–" for name in names]
        print(f"| {memory(one['memoryBytes'])} | {one['strategy']} | " + " | ".join(cells) + " |")


def fast(folder):
    """The short strategies by themselves: medians of the runs' medians, and the least of them, which load hits least."""
    ours = [one for path in sorted(glob.glob(f"{folder}/emu-fast-*.json"))
            for one in (load(path) or {"results": []})["results"]]
    base = lines(f"{folder}/floor-fast.jsonl")
    if not ours or not base:
        return
    likeness = lines(f"{folder}/floor-like-emu.jsonl")
    kinds = list(dict.fromkeys((one["strategy"], one["memoryBytes"]) for one in base))
    print(f"\nWithout remap in turn, {len(base) // len(kinds)} runs of 100 cycles in turns, all on one processor; the median run, and the quickest, which is the one to compare:\n")
    print("| strategy | memory | emu p50 | C floor p50 | emu / floor | quickest | quickest | emu / floor | floor like emu | emu / that | × smallest memory |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    smallest = {}
    for strategy, size in sorted(kinds):
        def medians(results, value):
            return [value(one) for one in results if (one["strategy"], one["memoryBytes"]) == (strategy, size)]

        emu = medians(ours, lambda one: one["cycle"]["p50"])
        floor = medians(base, lambda one: one["p50"])
        like = medians(likeness, lambda one: one["p50"])
        if emu and floor:
            growth = middle(emu) / smallest.setdefault(strategy, middle(emu))
            print(f"| {strategy} | {memory(size)} | {time(middle(emu))} | {time(middle(floor))} | {middle(emu) / middle(floor):.2f} |"
                  f" {time(min(emu))} | {time(min(floor))} | {min(emu) / min(floor):.2f} |"
                  + (f" {time(middle(like))} | {middle(emu) / middle(like):.2f} |" if like else " – | – |")
                  + f" {growth:.2f} |")


def instructions(microseconds):
    """The clock counts a nanosecond for each."""
    count = microseconds * 1000
    for limit, unit in ((1e9, " G"), (1e6, " M")):
        if count >= limit:
            return f"{count / limit:.4g}{unit}"
    return f"{count:,.0f}"


def counts(folder):
    """What was counted, by strategy and size: the floor's, that of the floor like emu, emu's by itself and in turns."""
    def emu(pattern):
        return {(one["strategy"], one["memoryBytes"]): one for path in glob.glob(f"{folder}/{pattern}")
                for one in (load(path) or {"results": []})["results"]}

    def floor(name):
        return {(one["strategy"], one["memoryBytes"]): one for one in lines(f"{folder}/{name}.jsonl")}

    return floor("floor-counted"), floor("floor-like-emu-counted"), emu("emu-counted-[0-9]*.json"), emu("emu-counted-turns-*.json")


def alike(emu, floor):
    """Whether both programs' memory lies in as many contiguous runs, but for one for each MiB: so many cost 1 % of a remap,
    as vhost and the device make an entry for each, which takes as long as two or three pages. Nobody chooses where
    memory lies, so other remaps cannot be compared."""
    ours, theirs = emu["contiguousRuns"], floor["runs"]
    return ours is not None and theirs > 0 and abs(ours - theirs) <= emu["memoryBytes"] >> 20


def executed(strategy, times):
    """What a cycle of it executes: the median; of a remap the least, as it takes so long that the kernel's housekeeping falls
    into some, 0.2 M a time."""
    return times["min"] if strategy == "remap" else times["p50"]


def counted(folder):
    """What a cycle executes, in a VM whose clock counts instructions."""
    base, likeness, alone, turns = counts(folder)
    if not base or not turns:
        return
    remaps = next((one["cycles"] for (strategy, _), one in base.items() if strategy == "remap"), 0)
    print(f"\nInstructions of a cycle, the kernel's included: by itself (median of 20 cycles), and in turns with remap (median of {remaps}; remap only so, and the least):\n")
    print("| strategy | memory | emu | C floor | emu / floor | floor like emu | emu / that | emu in turns | in turns / by itself |"
          " × smallest memory | runs |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    smallest = {}
    for strategy, size in sorted(base):
        if (strategy, size) not in turns:
            continue
        turn = executed(strategy, turns[strategy, size]["cycle"])
        itself = alone.get((strategy, size))
        own = executed(strategy, itself["cycle"]) if itself else turn
        below, like = base[strategy, size], likeness.get((strategy, size))
        comparable = strategy != "remap" or alike(turns[strategy, size], below)
        ratio = f"{own / executed(strategy, below):.3f}" if comparable else "memory not alike"
        print(f"| {strategy} | {memory(size)} | {instructions(own)} | {instructions(executed(strategy, below))} | {ratio} |"
              + (f" {instructions(like['p50'])} | {own / like['p50']:.3f} |" if like else " – | – |")
              + f" {instructions(turn)} | {f'{turn / own:.3f}' if itself else '–'} | {own / smallest.setdefault(strategy, own):.3f} |"
              f" {turns[strategy, size]['contiguousRuns']}, floor {below['runs']} |")
    phases([turns[key] for key in sorted(turns, key=lambda key: (key[1], key[0]))])


def short(folder):
    """Instructions of a cycle and what they may be, one row for each strategy and size."""
    base, _, alone, turns = counts(folder)
    rows = []
    for strategy, size in sorted(base, key=lambda key: (list(LIMITS).index(key[0]), key[1])):
        one = (turns if strategy == "remap" else alone).get((strategy, size))
        if one is None:
            continue
        emu, floor = executed(strategy, one["cycle"]), executed(strategy, base[strategy, size])
        comparable = strategy != "remap" or alike(one, base[strategy, size])
        ratio = f"{emu / floor:.3f}" if comparable else "memory not alike"
        rows.append(f"| {strategy} | {memory(size)} | {instructions(emu)} | {instructions(floor)} | {ratio} | {LIMITS[strategy][1]} |")
    if rows:
        print("| strategy | memory | emu | C floor | emu / floor | limit |")
        print("|---|---|---|---|---|---|")
        print("\n".join(rows))


def spread(times):
    """The width of the middle half as a part of the median."""
    if times["p25"] is None or not times["p50"]:
        return "–"
    return f"{(times['p75'] - times['p25']) / times['p50'] * 100:.0f} %"


def times(folder):
    """What a cycle takes, and what the guest notices, one row for each strategy and size."""
    report = load(f"{folder}/emu.json")
    if not report or not report["results"]:
        return
    print("| strategy | memory | cycle p50 | spread | downtime p50 | p99 | suspend to enable p50 |")
    print("|---|---|---|---|---|---|---|")
    for one in sorted(report["results"], key=lambda one: (one["strategy"], one["memoryBytes"])):
        downtime, span = one["downtime"], one["suspendToEnable"]
        cells = [one["strategy"], memory(one["memoryBytes"]), time(one["cycle"]["p50"]), spread(one["cycle"]),
                 time(downtime["p50"]) if downtime else "–", farthest(downtime) if downtime else "–",
                 time(span["p50"]) if span else "–"]
        print("| " + " | ".join(cells) + " |")


def everything(folder):
    fast(folder)
    counted(folder)


if __name__ == "__main__":
    {"all": everything, "short": short, "times": times}[sys.argv[1]](sys.argv[2])
