"""Checks of a program under `emu exec`, one after the other: a line for each, with tabs between its name, pass or FAIL, its
seconds, and what was seen."""

import time


class Failed(Exception):
    """What a check has found wrong."""


class Checks:
    """The checks of one program, and how many have failed."""

    def __init__(self):
        self.failed = 0

    def check(self, name, action):
        """Prints the line of `action`, which returns what it has seen or raises Failed."""
        begin = time.monotonic()
        try:
            outcome, seen = "pass", action()
        except Failed as error:
            outcome, seen = "FAIL", str(error)
            self.failed += 1
        print(name, outcome, f"{time.monotonic() - begin:.1f}", " ".join(str(seen).split()), sep="\t", flush=True)
        return outcome == "pass"
