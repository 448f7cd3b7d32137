"""Faults that are no single call's: limits, full and closed files, what is not there, io_uring refused."""

import errno
import itertools

from trial import READER_GONE, Trial

SHELL = ["bash", "-c"]
# Users that have no process: one for each trial, as trials run side by side.
STRANGERS = itertools.count(61000)


def limited(words, *rest):
    """A launcher that sets something in a shell and then becomes the program."""
    return [*SHELL, f'{words} && exec "$@"' if words else 'exec "$@"', "faults", *rest]


def redirected(words):
    return [*SHELL, f'exec "$@" {words}', "faults"]


def trials(command, machine, numbers):
    """Every trial of the command that this user and machine can make. NUMBERS are those of system calls by name."""
    for count in range(3, 61):
        yield Trial(command, "descriptors", f"ulimit -n {count}", limited(f"ulimit -n {count}"), before_main=True)
    for kibibytes in (*range(16384, 262144, 16384), 262144, 393216, 524288, 786432, 1048576, 2097152, 4194304):
        yield Trial(command, "address space", f"ulimit -v {kibibytes}", limited(f"ulimit -v {kibibytes}"), before_main=True)
    for kibibytes in (0, 64, 1024, 8192, 65536):
        yield Trial(command, "locked memory", f"ulimit -l {kibibytes}", limited(f"ulimit -l {kibibytes}"))
    for blocks in (0, 1, 8, 1000):
        yield Trial(command, "file size", f"ulimit -f {blocks}", limited(f"ulimit -f {blocks}"))
    for kibibytes in (8, 16, 32, 64, 128, 256, 1024, 8192):
        yield Trial(command, "stack", f"ulimit -s {kibibytes}", limited(f"ulimit -s {kibibytes}"), before_main=True)
    yield from processes(command, machine)
    yield from files(command)
    yield from places(command, machine)
    yield from rings(command, machine, numbers)


def processes(command, machine):
    for count in range(1, 9):
        if machine.user or not machine.root:
            launcher = limited(f"ulimit -u {count}")
        else:
            # The limit does not hold for root: a user that has no other process.
            if command.root:
                continue
            user = next(STRANGERS)
            launcher = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--", *limited(f"ulimit -u {count}")]
        yield Trial(command, "processes", f"ulimit -u {count}", launcher, before_main=True)


def files(command):
    out, err = frozenset({"stdout"}), frozenset({"stderr"})
    both = out | err
    for words, lost in (
        (">/dev/full", out), (">&-", out), ("2>/dev/full", err), ("2>&-", err), ("<&-", frozenset()),
        (">/dev/full 2>/dev/full", both), (">&- 2>&-", both), ("<&- >&-", out), ("<&- 2>&-", err), ("<&- >&- 2>&-", both),
    ):
        yield Trial(command, "stdio", words, redirected(words), lost)
    gone = 'exec 3> >(exec true); wait $!; "$@" >&3'
    yield Trial(command, "stdio", READER_GONE, [*SHELL, gone, "faults"], out)


def places(command, machine):
    if not machine.root:
        return
    mounts = ["unshare", "--mount", "--propagation", "private"]
    yield Trial(command, "no /proc", "an empty /proc", [*mounts, *limited("mount -t tmpfs none /proc")])
    yield Trial(command, "no /sys", "an empty /sys", [*mounts, *limited("mount -t tmpfs none /sys")])
    if command.taps:
        yield Trial(command, "no /dev/net/tun", "an empty /dev/net", [*mounts, *limited("mount -t tmpfs none /dev/net")])
    if command.report:
        # The working folder is the run's own.
        for size in ("4k", "8k", "12k"):
            yield Trial(command, "full disk", f"a disk of {size} under --report", [
                *mounts, *limited(f"mkdir report && mount -t tmpfs -o size={size} none report")])
        yield Trial(command, "full disk", "a disk without room for a name", [
            *mounts, *limited("mkdir report && mount -t tmpfs -o nr_inodes=1 none report")])
        yield Trial(command, "full disk", "a read-only disk", [
            *mounts, *limited("mkdir report && mount -t tmpfs -o ro none report")])


def rings(command, machine, numbers):
    for call in ("setup", "enter", "register"):
        for name in ("EPERM", "ENOSYS", "ENOMEM"):
            yield Trial(command, "io_uring by seccomp", f"io_uring_{call} answers {name}", [
                machine.injector, "refuse", f"{numbers['io_uring_' + call]}={getattr(errno, name)}", "--"])

