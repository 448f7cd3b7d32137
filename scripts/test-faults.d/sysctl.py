"""io_uring off for the whole machine, by kernel.io_uring_disabled, and on again whatever becomes of this script."""

import contextlib
import os
import subprocess

from trial import Trial, run

PATH = "/proc/sys/kernel/io_uring_disabled"
# Waits for the end of its input, which comes with the end of whoever holds the other side, and puts the value back.
GUARD = "trap '' INT TERM HUP; read -r _; echo \"$1\" >\"$2\""


@contextlib.contextmanager
def disabled(value):
    with open(PATH, encoding="ascii") as file:
        before = file.read().strip()
    guard = subprocess.Popen(["bash", "-c", GUARD, "guard", before, PATH], stdin=subprocess.PIPE, start_new_session=True)
    try:
        with open(PATH, "w", encoding="ascii") as file:
            file.write(str(value))
        yield
    finally:
        guard.stdin.close()
        guard.wait()


def trials(commands):
    """Functions of the machine that run a command with the setting in force. One at a time: it is the machine's."""
    if not os.path.exists(PATH):
        return
    for command in commands:
        for value in (1, 2):
            yield lambda machine, command=command, value=value: under(command, value, machine)


def under(command, value, machine):
    with disabled(value):
        return run(Trial(command, "io_uring by sysctl", f"kernel.io_uring_disabled={value}"), machine)
