#!/usr/bin/env python3
"""Puts the tables of a whole run of scripts/bench cycle into docs/benchmarks.md, between its two marks.

tables.py FOLDER [DOCUMENT]     FOLDER is scripts/bench cycle's, with a folder for each part; a part that is not there, or was cut off, is named
"""
import contextlib
import io
import json
import os
import sys

sys.dont_write_bytecode = True
import compare

BEGIN = "<!-- The tables of the last whole run: scripts/bench tables writes them, nobody else. -->"
END = "<!-- The end of what scripts/bench tables writes. -->"
PARTS = (
    ("sim", "The simulated device, sizes on paper"),
    ("sim-pinned", "The simulated device, memory pinned"),
    ("vdpasim-counted", "The kernel's vdpa_sim_net, pinned, by instructions"),
    ("vp_vdpa-counted", "vp_vdpa behind the IOMMU, by instructions"),
    ("vdpasim", "The kernel's vdpa_sim_net, pinned, 4 KiB pages"),
    ("vdpasim-huge", "The same with explicit 2 MiB pages"),
    ("vp_vdpa", "vp_vdpa behind the IOMMU"),
    ("vdpasim-shapes", "Batches, answers, fragments, regions"),
)


def machine(folder):
    """The machine and its load, as scripts/bench cycle wrote them down."""
    path = f"{folder}/machine.json"
    if not os.path.exists(path):
        return "The machine was not written down."
    with open(path) as file:
        facts = json.load(file)
    loads = ", ".join(f"{one['part']} {one['load']:.1f}" for one in facts["loads"])
    return (f"{facts['date']}, commit {facts['commit']}, {facts['processors']} processors, {facts['memory']} GiB. "
            f"Load of the host before each part: {loads}. {facts['cycles']} cycles of each.")


def part(folder, name, title):
    print(f"\n### {title}\n")
    before = sys.stdout.tell()
    compare.main(f"{folder}/{name}")
    if sys.stdout.tell() == before:
        print("Not measured in this run.")


def tables(folder):
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        print(machine(folder))
        for name, title in PARTS:
            part(folder, name, title)
    return text.getvalue()


def main(folder, document):
    with open(document) as file:
        text = file.read()
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        sys.exit(f"tables: {document} lacks the marks between which the tables stand")
    with open(document, "w") as file:
        file.write(f"{head}{BEGIN}\n\n{tables(folder)}\n{END}{tail}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "docs/benchmarks.md")
