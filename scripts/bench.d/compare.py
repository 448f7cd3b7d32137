#!/usr/bin/env python3
"""Prints what scripts/bench measured on the kernel: emu beside the C floor, as Markdown.

compare.py FOLDER    with emu.json, and floor.jsonl, emu-fast-*.json, floor-fast.jsonl where they are
"""
import glob
import json
import os
import sys


def time(microseconds):
    for limit, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= limit:
            return f"{microseconds / limit:.3g} {unit}"
    return f"{microseconds:.3g} µs"


def memory(size):
    return f"{size >> 30} GiB" if size >= 1 << 30 else f"{size >> 20} MiB"


def median(values):
    return sorted(values)[len(values) // 2]


def lines(path):
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [json.loads(line) for line in file]


def load(path):
    with open(path) as file:
        return json.load(file)


def table(report, floor):
    rows = report["results"]
    first = rows[0]
    print(f"{report['machine']['kernel']}, {first['device']}, {'pinned' if first['pinned'] else 'not pinned'},"
          f" pages: {first['pageKind']}\n")
    print("| memory | runs | strategy | emu p50 | p99 | C floor p50 | emu / floor | × persist | maps + unmaps | ioctls |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for one in rows:
        base = floor.get((one["memoryBytes"], one["strategy"]))
        persist = next((r["cycle"]["p50"] for r in rows
                        if r["memoryBytes"] == one["memoryBytes"] and r["strategy"] == "persist"), None)
        cycle = one["cycle"]
        calls = one["perCycle"]
        ratio = f"{cycle['p50'] / base:.2f}" if base else "–"
        worth = f"{cycle['p50'] / persist:,.0f}" if persist and cycle["p50"] > 100 * persist else f"{cycle['p50'] / persist:.2g}" if persist else "–"
        print(f"| {memory(one['memoryBytes'])} | {one['contiguousRuns']} | {one['strategy']} | {time(cycle['p50'])} |"
              f" {time(cycle['p99'])} | {time(base) if base else '–'} | {ratio} | {worth} |"
              f" {calls['updates'] + calls['invalidates']:g} | {calls['ioctls']:g} |")


def main(folder):
    floor = {(one["memoryBytes"], one["strategy"]): one["p50"] for one in lines(f"{folder}/floor.jsonl")}
    table(load(f"{folder}/emu.json"), floor)
    if os.path.exists(f"{folder}/emu-variants.json"):
        print("\nWhat batches buy, and what it costs to have the device answer for its maps:\n")
        table(load(f"{folder}/emu-variants.json"), {})
    fast = [one for path in sorted(glob.glob(f"{folder}/emu-fast-*.json")) for one in load(path)["results"]]
    base = lines(f"{folder}/floor-fast.jsonl")
    if fast and base:
        print("\nWithout remap in turn, 256 MiB, medians of three runs:\n")
        print("| strategy | emu p50 | C floor p50 | emu / floor |")
        print("|---|---|---|---|")
        for strategy in ("persist", "resume"):
            ours = median([one["cycle"]["p50"] for one in fast if one["strategy"] == strategy])
            least = median([one["p50"] for one in base if one["strategy"] == strategy])
            print(f"| {strategy} | {time(ours)} | {time(least)} | {ours / least:.2f} |")


if __name__ == "__main__":
    main(sys.argv[1])
