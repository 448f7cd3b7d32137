"""Which system calls a command makes, and where: strace's account of one run, with the stack of each call."""

import dataclasses
import os
import re
import subprocess
import sys

FRAME = re.compile(r"^ > (\S+?)\((\S*?)(?:\+0x[0-9a-f]+)?\) \[0x([0-9a-f]+)\]")
CALL = re.compile(r"^\d+ +(?:<\.\.\. )?(\w+)(?:\(| resumed>)")
UNFINISHED = "<unfinished ...>"
# So many frames of the program tell two places apart.
DEPTH = 4


@dataclasses.dataclass(frozen=True)
class Site:
    """A place in the program that makes a system call."""

    call: str
    # The return addresses of the program's innermost frames, as offsets into its file.
    offsets: tuple
    # The functions of those frames, as the linker knows them.
    symbols: tuple = dataclasses.field(compare=False)
    # The functions of libraries between the call and the program.
    through: tuple = dataclasses.field(compare=False)


def sites(prefix, program, arguments, work, environment, limit=300):
    """Runs the command under strace. Returns the sites in the order they are first met, with how often each was."""
    trace = os.path.join(work, "trace")
    command = [*prefix, "strace", "-f", "-k", "-s", "0", "-o", trace, program, *arguments]
    with open(os.devnull, "r+b") as null:
        try:
            subprocess.run(command, stdin=null, stdout=null, stderr=null, env=environment, timeout=limit, check=False,
                           cwd=work)
        except subprocess.TimeoutExpired:
            sys.exit(f"test-faults: {' '.join(arguments)}: not over after {limit} s under strace: is the machine busy?")
    counts = {}
    with open(trace, encoding="utf-8", errors="replace") as lines:
        for site in parse(lines, os.path.realpath(program)):
            counts[site] = counts.get(site, 0) + 1
    return counts


def parse(lines, program):
    """The site of each call whose stack has a frame of the program: what the loader does has none."""
    call, thread, offsets, symbols, through = None, None, [], [], []
    # The last place of each thread in pthread_create: the stack of clone3 itself has no end that could be found.
    starting = {}

    def ended():
        if call and offsets:
            site = Site(call, tuple(offsets), tuple(symbols), tuple(through))
            if "pthread_create" in through:
                starting[thread] = site
            yield site
        elif call in ("clone", "clone3") and thread in starting:
            yield dataclasses.replace(starting[thread], call=call, through=("pthread_create",))

    for line in lines:
        frame = FRAME.match(line)
        if frame:
            path, symbol, offset = frame.groups()
            if path != program:
                if not offsets:
                    through.append(symbol)
            elif len(offsets) < DEPTH and symbol not in ("_start", "main", "emu_main"):
                offsets.append(int(offset, 16))
                symbols.append(symbol)
            continue
        # The stack follows the call's end.
        yield from ended()
        match = CALL.match(line)
        call = match.group(1) if match and not line.rstrip().endswith(UNFINISHED) else None
        thread, offsets, symbols, through = line.split(" ", 1)[0], [], [], []
    yield from ended()
