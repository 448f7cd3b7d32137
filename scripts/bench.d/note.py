#!/usr/bin/env python3
"""Writes down on what machine a part of scripts/bench cycle runs.   note.py FILE PART CYCLES COMMIT"""
import datetime
import json
import os
import sys


def main(path, part, cycles, commit):
    facts = {"loads": []}
    if os.path.exists(path):
        with open(path) as file:
            facts = json.load(file)
    loads = {one["part"]: one for one in facts["loads"]}
    loads[part] = {"part": part, "load": os.getloadavg()[0]}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    facts.update(
        date=datetime.date.today().isoformat(), commit=commit, processors=os.cpu_count(), memory=memory,
        cycles=int(cycles), loads=list(loads.values()))
    with open(path, "w") as file:
        json.dump(facts, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
