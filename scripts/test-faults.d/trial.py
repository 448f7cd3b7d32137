"""One run of a command under one fault, and what every run must do."""

import dataclasses
import os
import re
import shlex
import signal
import subprocess
import time

# A run that takes longer hangs. The commands take less than half a second by themselves.
LIMIT = 10
READER_GONE = "a pipe without a reader"


@dataclasses.dataclass
class Trial:
    """One run: a command, and what is done to it."""

    command: object
    kind: str
    fault: str
    # What comes before the command's own words: a program that brings the fault about.
    launcher: list = dataclasses.field(default_factory=list)
    # Which of its outputs cannot be written in this trial.
    lost: frozenset = frozenset()
    # Where the injector writes how often the fault happened.
    report: str = None
    # Whether the fault may meet the dynamic loader, before the program begins, which has its own words for it.
    before_main: bool = False


@dataclasses.dataclass
class Outcome:
    trial: Trial
    arguments: list
    status: int
    out: str
    err: str
    seconds: float
    hung: bool
    hits: int
    faults: list

    @property
    def reproduction(self):
        """What a shell runs to see it again."""
        words = ["/dev/null" if word == self.trial.report else word for word in self.arguments]
        return shlex.join(words)


def run(trial, machine):
    """Runs the trial and judges it. Once more where it took too long: the machine may have been busy."""
    outcome = attempt(trial, machine)
    if outcome.hung:
        outcome = attempt(trial, machine)
    outcome.faults = list(judge(outcome))
    if outcome.faults and trial.launcher and trial.kind not in ("calls", "stdio") and not anything_starts(trial, machine):
        outcome.faults = []
    return outcome


def anything_starts(trial, machine):
    """Whether a program that does nothing comes to its end under the fault."""
    return subprocess.run([*machine.prefix, *trial.launcher, "/bin/true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False, timeout=LIMIT).returncode == 0


def attempt(trial, machine):
    with machine.place(trial.command) as place:
        arguments = [*machine.prefix, *trial.launcher, machine.program, *place.arguments]
        begin = time.monotonic()
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
            cwd=place.folder, env=machine.environment)
        hung = False
        try:
            out, err = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            hung = True
            kill_group(process.pid)
            out, err = process.communicate()
        seconds = time.monotonic() - begin
        faults = []
        if not hung and kill_group(process.pid):
            faults.append("left a process behind")
        outcome = Outcome(
            trial, arguments, process.returncode, out.decode(errors="replace"), err.decode(errors="replace"), seconds, hung,
            hits(trial.report), faults)
        if outcome.status == 0:
            outcome.faults += [f"false OK: {words}" for words in place.incomplete(outcome)]
        outcome.faults += place.left_behind()
        return outcome


def kill_group(group):
    """Whether anything of it was still there."""
    try:
        os.killpg(group, signal.SIGKILL)
        return True
    except (ProcessLookupError, PermissionError):
        return False


def hits(report):
    if report is None:
        return 1
    try:
        with open(report, encoding="ascii") as file:
            return int(file.read() or 0)
    except FileNotFoundError:
        return 0
    finally:
        if os.path.exists(report):
            os.unlink(report)


# A line names what failed, why, and where there is something to do, what: "emu: what: why; what to do".
LINE = re.compile(r"^(warning |error )?emu: [^:]+.*")
VERDICT = re.compile(r"^WRONG|^INCOMPLETE|[1-9][0-9]* failed|FAILED|differs?\b|\"(problems|outcome)\"")
LOADER = re.compile(r"error while loading shared libraries|cannot allocate memory in static TLS|failed to map segment", re.I)


# Swift's runtime where malloc gives nothing: no code of the program is asked.
NO_MEMORY = re.compile(r"^Fatal error: failed to allocate \d+ bytes of memory|std::bad_alloc", re.M)


def judge(outcome):
    """What is wrong with the run, in words."""
    trial = outcome.trial
    lines = [line for line in outcome.err.splitlines() if line.strip()]
    if outcome.hung:
        yield f"hang: not ended after {LIMIT} s"
        return
    if trial.before_main and (LOADER.search(outcome.err) or outcome.status in (126, 127)):
        return
    yield from outcome.faults
    # Writing to a pipe that nobody reads any more is answered with a signal; a shell gives it as 128 and its number.
    if trial.fault == READER_GONE and outcome.status in (-signal.SIGPIPE, 128 + signal.SIGPIPE):
        return
    if outcome.status == -signal.SIGABRT and NO_MEMORY.search(outcome.err):
        return
    if outcome.status < 0:
        yield f"signal: ended by {signal.Signals(-outcome.status).name}"
        return
    if outcome.status not in (0, 1, 2):
        yield f"status {outcome.status}"
        return
    if "stderr" in trial.lost:
        return
    if outcome.status == 2 and len(lines) != 1:
        yield f"lines: status 2 with {len(lines)} lines on stderr"
    if outcome.status == 2 and lines and not LINE.match(lines[0]):
        yield "lines: the one on stderr does not begin with 'emu: '"
    # A command that ran has its verdict, which stands where its result does.
    told = lines + ([] if "stdout" in trial.lost else outcome.out.splitlines())
    if outcome.status == 1 and not any(LINE.match(line) or VERDICT.search(line) for line in told):
        yield "lines: status 1, and neither a line 'emu: …' nor a verdict"
