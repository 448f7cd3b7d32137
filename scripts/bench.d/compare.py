#!/usr/bin/env python3
"""Prints what scripts/bench cycle measured on the kernel: emu beside the C floor, as Markdown.

compare.py FOLDER    with what is there of emu.json, floor.jsonl, emu-fast-*.json, floor-fast.jsonl, floor-like-emu.jsonl,
                     what was counted, and the shapes
"""
import glob
import json
import os
import sys

SHAPES = (
    ("variants", "What batches buy, and what it costs to have the device answer for its maps"),
    ("fragmented", "The same with memory in single pages"),
    ("regions-1", "One region"),
    ("regions-64", "64 regions"),
    ("regions-512", "512 regions"),
    ("sim-pinned", "The simulated device in the same VM, memory pinned"),
)


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


def worth(time_, persist):
    if not persist:
        return "–"
    ratio = time_ / persist
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.2g}"


def table(report, floor):
    rows = report["results"]
    first = rows[0]
    print(f"{report['machine']['kernel']}, {first['device']}, {'pinned' if first['pinned'] else 'not pinned'},"
          f" pages: {first['pageKind']}, {first['regions']} regions\n")
    print("| memory | runs | strategy | emu p50 | p99 | C floor p50 (runs) | emu / floor | × persist |"
          " downtime p50 | p99 | suspend–enable p50 | updates + invalidates | ioctls |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for one in rows:
        base = floor.get((one["memoryBytes"], one["strategy"]))
        persist = next((r["cycle"]["p50"] for r in rows
                        if r["memoryBytes"] == one["memoryBytes"] and r["strategy"] == "persist"), None)
        cycle, calls, downtime, span = one["cycle"], one["perCycle"], one["downtime"], one["suspendToEnable"]
        cells = [
            memory(one["memoryBytes"]) + (" (modelled)" if one["modelled"] else ""), one["contiguousRuns"] or "–", one["strategy"], time(cycle["p50"]), farthest(cycle),
            f"{time(base[0])} ({base[1]})" if base else "–",
            f"{cycle['p50'] / base[0]:.2f}" if base else "–",
            worth(cycle["p50"], persist),
            time(downtime["p50"]) if downtime else "–", farthest(downtime) if downtime else "–",
            time(span["p50"]) if span else "–",
            f"{calls['updates']:g} + {calls['invalidates']:g}", f"{calls['ioctls']:g}",
        ]
        print("| " + " | ".join(str(cell) for cell in cells) + " |")
    for skip in report["skipped"]:
        print(f"\nskipped: {memory(skip['memoryBytes'])} {skip.get('strategy') or ''}: {skip['reason']}")
    for remark in report["remarks"]:
        print(f"\nnote: {remark}")
    for problem in report["problems"]:
        print(f"\n**WRONG**: {problem}")


def phases(rows, show):
    """What each part of a cycle takes, in the unit of `show`."""
    names = ["drain", "suspend", "baseRead", "unmap", "reset", "negotiate", "map", "vringSetup", "enable"]
    print("\nPhases, medians:\n")
    print("| memory | strategy | " + " | ".join(names) + " |")
    print("|---|---|" + "---|" * len(names))
    for one in rows:
        cells = [show(one["phases"][name]) if one["phases"].get(name) else "–" for name in names]
        print(f"| {memory(one['memoryBytes'])} | {one['strategy']} | " + " | ".join(cells) + " |")


def first_maps(report):
    if not report.get("firstMaps"):
        return
    print("\nThe first map of an opening beside io_uring_register_buffers of the same memory, medians of five, in turns:\n")
    print("| memory | runs | first map | io_uring registers | ratio |")
    print("|---|---|---|---|---|")
    for one in report["firstMaps"]:
        registered = one.get("registerBuffers")
        ratio = f"{one['map'] / registered:.2f}" if registered else "–"
        print(f"| {memory(one['memoryBytes'])} | {one.get('contiguousRuns')} | {time(one['map'])} |"
              f" {time(registered) if registered else one.get('obstacle')} | {ratio} |")


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
    phases([turns[key] for key in sorted(turns, key=lambda key: (key[1], key[0]))], instructions)


def main(folder):
    floors = {}
    for one in lines(f"{folder}/floor.jsonl"):
        floors.setdefault((one["memoryBytes"], one["strategy"]), []).append(one)
    floor = {key: (middle([one["p50"] for one in ones]), "/".join(str(one["runs"]) for one in ones))
             for key, ones in floors.items()}
    report = load(f"{folder}/emu.json")
    if report:
        table(report, floor)
        phases(report["results"], time)
        first_maps(report)
    fast(folder)
    counted(folder)
    for name, title in SHAPES:
        report = load(f"{folder}/{name}.json")
        if report and report.get("results"):
            print(f"\n{title}:\n")
            table(report, {})
            first_maps(report)


if __name__ == "__main__":
    main(sys.argv[1])
