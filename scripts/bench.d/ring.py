"""Two ring benchmarks in turns, for scripts/bench ring --baseline.

    ring.py PROGRAM BASELINE TURNS
"""

import statistics
import subprocess
import sys

COLUMNS = ("both", "device", "driver")


def rows(program):
    """What a run prints: payload and module, and the times of C that each column takes."""
    text = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 5 and words[0].isdigit():
            found[words[0], words[1]] = [float(word) for word in words[2:5]]
    if not found:
        sys.exit(f"bench ring: {program} printed no row")
    return found


def main():
    program, baseline, turns = sys.argv[1], sys.argv[2], int(sys.argv[3])
    new, old = [], []
    for turn in range(turns):
        for which, into in ((program, new), (baseline, old))[:: 1 if turn % 2 == 0 else -1]:
            into.append(rows(which))
    if any(row.keys() != new[0].keys() for row in new + old):
        sys.exit("bench ring: the two print different rows")
    print(f"split ring, time against C, medians of {turns} turns; quotient: median of the turns' new / base")
    print("payload  module  side     base     new  quotient")
    for key in new[0]:
        for column, name in enumerate(COLUMNS):
            before, after = [row[key][column] for row in old], [row[key][column] for row in new]
            quotient = statistics.median(a / b for a, b in zip(after, before))
            print(
                f"{key[0]:>7}  {key[1]:<6}  {name:<6} {statistics.median(before):6.2f} "
                f"{statistics.median(after):7.2f} {quotient:9.3f}"
            )


main()
