"""Prints two reports of `emu run --json` side by side: maps kept, and PERSIST not negotiated.

Exit status 1 where the comparison does not hold: the first must have sent no map message in any cycle, the second
at least one update and one invalidate.
"""

import json
import sys


def count(number):
    return f"{number:,.0f}"


def mean(number):
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def time(microseconds):
    if microseconds is None:
        return "-"
    for limit, unit in ((1e6, "s"), (1e3, "ms")):
        if microseconds >= limit:
            return f"{microseconds / limit:.2f} {unit}"
    return f"{microseconds:.0f} us"


ROWS = (
    ("packets sent", count, ("packets", "sent")),
    ("packets received", count, ("packets", "received")),
    ("lost", count, ("packets", "lost")),
    ("duplicated", count, ("packets", "duplicated")),
    ("corrupted", count, ("packets", "corrupted")),
    ("abandoned", count, ("packets", "abandoned")),
    ("dropped by the device", count, ("packets", "deviceDrops")),
    ("DMA faults", count, ("faults",)),
    ("packets per second", count, ("throughput",)),
    ("stops and starts", count, ("cycles",)),
    ("updates per cycle", mean, ("iotlb", "perCycle", "updates")),
    ("invalidates per cycle", mean, ("iotlb", "perCycle", "invalidates")),
    ("stop and start, p50", time, ("cycleTime", "p50")),
    ("stop and start, p99", time, ("cycleTime", "p99")),
    ("stop and start, longest", time, ("cycleTime", "max")),
)


def value(report, path):
    """The value at path, or None: a run without a stop has no times of one, one with fewer than 100 no p99."""
    for key in path:
        report = report.get(key) if report is not None else None
    return report


def objections(kept, remapped):
    """Why the two runs do not show what they should."""
    if not (kept["persist"]["acknowledged"] and not remapped["persist"]["acknowledged"]):
        yield "IOTLB_PERSIST was not negotiated in the first run only"
    if not (kept["cycles"] and remapped["cycles"]):
        yield "a run without a stop and start shows nothing"
        return
    if any(kept["iotlb"]["perCycle"].values()):
        yield "maps were sent although they were kept"
    if not all(remapped["iotlb"]["perCycle"].values()):
        yield "maps were not sent although they were not kept"


def main():
    reports = [json.load(open(path, encoding="utf-8")) for path in sys.argv[1:]]
    width = max(len(row[0]) for row in ROWS)
    print(f"{'IOTLB_PERSIST':<{width}}{'kept':>20}{'not negotiated':>20}")
    for title, text, path in ROWS:
        values = [value(report, path) for report in reports]
        if values != [None, None]:
            print(f"{title:<{width}}" + "".join(f"{text(value):>20}" for value in values))
    print()
    wrong = [problem for report in reports for problem in report["problems"]]
    wrong += objections(*reports)
    if wrong:
        print("WRONG: " + "; ".join(wrong))
        return 1
    ratio = reports[1]["cycleTime"]["p50"] / reports[0]["cycleTime"]["p50"]
    sent = " and ".join(count(report["packets"]["sent"]) for report in reports)
    is_whole = all(report["packets"]["received"] == report["packets"]["sent"] for report in reports)
    print(f"OK. Of {sent} packets every one came back once and unchanged{'' if is_whole else ', or is named above'}.")
    print(f"A stop and start without PERSIST took {ratio:.2f} times as long (p50). This simulated device pins no pages for")
    print("its maps, so these times are mostly the waking of threads; a real device pays for every page it maps again.")
    return 0


sys.exit(main())
