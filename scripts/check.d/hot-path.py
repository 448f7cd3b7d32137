"""Compares how often callgrind runs call the functions that no packet may cost.

    hot-path.py [--quiet] PACKETS PROFILE[,PROFILE]… PACKETS PROFILE[,PROFILE]…

PROFILE is what --callgrind-out-file named; --separate-threads=yes adds -01, -02 and so on, a file a thread. Thread
1 controls: it touches no packet, but looks at the clock while packets move and prints the summary, so its calls go
with time and with digits; they are shown apart. All other threads together are the data path.

Threads hand each other a few messages at the start and at the end, and which of them wakes whom and lets go of a
message last varies from run to run by a handful of calls. So there may be several runs of each size, and the exit
status is 0 where one of the first size and one of the second make exactly the same calls on the data path: what goes
with packets would differ in every pair, by as much as there are packets. It is 1 where no pair does, with the
callers of the nearest pair. --quiet prints nothing in that case.

What a packet executes on the data path is the difference of that pair's instructions over the packets that the second
run has more: for information, and within some instructions, as threads wait now and then.
"""

import glob
import itertools
import re
import sys
from collections import Counter

WATCHED = ("swift_retain", "swift_release", "swift_allocObject", "swift_beginAccess", "malloc")
NAME = re.compile(r"^(c?fn)=\((\d+)\)(?: (.*))?$")


def read(path):
    """The calls of each watched function by caller, {(callee, caller): count}, and what was executed."""
    names, calls, instructions = {}, Counter(), 0
    caller = callee = None
    with open(path, encoding="utf-8", errors="replace") as profile:
        for line in profile:
            match = NAME.match(line)
            if match:
                kind, number, name = match.groups()
                if name is not None:
                    # 'name'2 is the second level of a recursion.
                    names[number] = re.sub(r"'\d+$", "", name)
                if kind == "fn":
                    caller = names[number]
                else:
                    callee = names[number]
            elif line.startswith("calls="):
                if callee in WATCHED:
                    calls[callee, caller] += int(line[len("calls="):].split()[0])
            elif line.startswith("totals:"):
                instructions += int(line.split()[1])
    return calls, instructions


class Run:
    """One run's calls: those of the control thread and those of the data path's threads."""

    def __init__(self, path):
        files = sorted(glob.glob(glob.escape(path) + "-*"))
        if len(files) < 3:
            sys.exit(f"hot-path.py: {path}: the control thread and two workers at least are needed")
        self.control, self.data_path, self.instructions = Counter(), Counter(), 0
        for file in files:
            calls, instructions = read(file)
            if file.endswith("-01"):
                self.control.update(calls)
            else:
                self.data_path.update(calls)
                self.instructions += instructions
        if not self.control.total() or not self.data_path.total():
            sys.exit(f"hot-path.py: {path}: no call of any watched function was seen: it shows nothing")


def total(calls, name):
    return sum(count for (callee, _), count in calls.items() if callee == name)


def distance(first, second):
    """How far the calls of two runs are apart, function by function."""
    return sum(abs(total(first.data_path, name) - total(second.data_path, name)) for name in WATCHED)


def show(title, first, second):
    """One line a function."""
    print(title)
    for name in WATCHED:
        counts = total(first, name), total(second, name)
        print(f"  {name:<20}{counts[0]:>16,}{counts[1]:>16,}{counts[1] - counts[0]:>+12,}")


def main():
    arguments = [text for text in sys.argv[1:] if text != "--quiet"]
    packets = [int(text) for text in arguments[0::2]]
    runs = [[Run(path) for path in text.split(",")] for text in arguments[1::2]]
    first, second = min(itertools.product(*runs), key=lambda pair: distance(*pair))
    is_equal = distance(first, second) == 0
    if not is_equal and "--quiet" in sys.argv:
        return 1
    print(f"{'calls at':<22}{packets[0]:>16,}{packets[1]:>16,}{'difference':>12}  (packets)")
    show("control thread (for information)", first.control, second.control)
    show("data path: every other thread", first.data_path, second.data_path)
    each = (second.instructions - first.instructions) / (packets[1] - packets[0])
    print(f"\ninstructions of a packet, there and back, on all threads of the data path: {each:,.0f}")
    if is_equal:
        print(f"\nThe data path makes the same calls for {packets[0]:,} packets as for {packets[1]:,}.")
        return 0
    print("\ncallers on the data path that differ (callee, calls of each, caller):")
    keys = set(first.data_path) | set(second.data_path)
    for key in sorted(keys, key=lambda key: -abs(second.data_path[key] - first.data_path[key])):
        counts = first.data_path[key], second.data_path[key]
        if counts[0] != counts[1]:
            print(f"  {key[0]:<20}{counts[0]:>12,}{counts[1]:>12,}  {key[1]}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
