"""Builds a copy of emu with every mutant of Tests/Mutants in it, and runs the tests with one of them active at a time.

A mutant is a place in a file, `find`, which with `before` and `after` around it occurs once there, and what stands in
its place while the mutant is active, `replace`: an expression or a statement. `filter` names the tests that are to
notice. `equivalent` says why nothing can notice, where that is so. `slow` says why a gate, which has minutes, leaves it
to the whole run.
"""
import argparse
import concurrent.futures
import glob
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

LISTS = "Tests/Mutants/*.json"
BUILD = ".build-mutants"
COPY = f"{BUILD}/source"
# The least time that a run of the tests gets; a mutant that makes them hang is noticed by it.
LEAST_LIMIT = 60
FIELDS = {"name", "file", "kind", "before", "find", "after", "replace", "filter", "equivalent", "slow"}
# The targets of each area that a gate has a share of. A target that is in none is an area of its own.
AREAS = {
    "backend": ["VhostVDPABackend", "VhostVDPA"],
    "address space": ["GuestMemory"],
    "rings": ["VirtQueue"],
    "data path": ["VirtioNet", "VirtioDevice", "WorkerRuntime"],
    "verdict": ["emu", "EmulatedMachine", "CycleBenchmark", "LinuxHost"],
    "simulated kernel": ["SimulatedVDPA"],
}
# A gate's mutants, whatever its time limit; from each area as many, as far as it has them.
LEAST_IN_GATE = 60

SWITCH = """internal import Glibc

/// The number of the mutant that is active, 0 for none.
let activeMutant = unsafe getenv("EMU_MUTANT").flatMap { unsafe Int(String(cString: $0)) } ?? 0

func isMutant(_ number: Int) -> Bool { activeMutant == number }
"""


def refuse(words):
    """Ends the script where the question could not be asked."""
    print(f"mutants: {words}", file=sys.stderr)
    sys.exit(2)


class Unaskable(Exception):
    """The question could not be asked."""


class Mutant:
    def __init__(self, group, number, fields):
        self.group, self.number, self.fields = group, number, fields
        self.name, self.file = fields["name"], fields["file"]
        self.equivalent, self.slow = fields.get("equivalent"), fields.get("slow")
        self.problem = self.place()

    def place(self):
        """Finds `start` and `end` of the place in the file; gives what is wrong with it."""
        fields = self.fields
        if unknown := set(fields) - FIELDS:
            return f"unknown: {', '.join(sorted(unknown))}"
        if fields["kind"] not in ("expression", "statement"):
            return f"kind '{fields['kind']}': use expression or statement"
        if fields["find"] == fields["replace"]:
            return "it changes nothing"
        if not os.path.isdir(f"Tests/{self.target}"):
            return f"filter '{fields['filter']}' begins with no test target"
        if not os.path.exists(self.file):
            return "the file is gone"
        with open(self.file, encoding="utf-8") as file:
            text = file.read()
        before, after = fields.get("before", ""), fields.get("after", "")
        whole = before + fields["find"] + after
        count = text.count(whole)
        if count != 1:
            return f"its place is there {count} times: {whole!r}"
        self.start = text.index(whole) + len(before)
        self.end = self.start + len(fields["find"])
        if fields["kind"] == "statement" and re.match(r"[\w(\[.]", text[self.end:]):
            return "the statement goes on behind it"
        return None

    @property
    def area(self):
        target = self.file.split("/")[1]
        return next((area for area, targets in AREAS.items() if target in targets), target)

    @property
    def target(self):
        return re.match(r"\w*", self.fields["filter"])[0]


def read():
    """The mutants, by list. A place has several where all of them have the same text for it."""
    mutants, problems = [], []
    for path in sorted(glob.glob(LISTS)):
        with open(path, encoding="utf-8") as file:
            for fields in json.load(file):
                mutants.append(Mutant(os.path.basename(path)[:-len(".json")].replace("-", " "), len(mutants) + 1, fields))
    if not mutants:
        problems.append(f"there is no mutant in {LISTS}")
    names = [mutant.name for mutant in mutants]
    for mutant in mutants:
        if mutant.problem:
            problems.append(f"{mutant.file}: '{mutant.name}': {mutant.problem}")
        if names.count(mutant.name) > 1:
            problems.append(f"'{mutant.name}' is the name of more than one mutant")
    placed = sorted((m for m in mutants if not m.problem), key=lambda m: (m.file, m.start, m.end))
    for one, other in zip(placed, placed[1:]):
        if one.file == other.file and (one.start, one.end) != (other.start, other.end) and other.start < one.end:
            problems.append(f"{one.file}: the places of '{one.name}' and '{other.name}' overlap")
    return mutants, problems


def mutated(text, mutants):
    """The text of a file with all of its mutants."""
    places = {}
    for mutant in mutants:
        places.setdefault((mutant.start, mutant.end), []).append(mutant)
    for (start, end), here in sorted(places.items(), reverse=True):
        original = text[start:end]
        if here[0].fields["kind"] == "expression":
            new = "(" + "".join(f"isMutant({m.number}) ? ({m.fields['replace']}) : " for m in here) + f"({original}))"
        else:
            new = "".join(f"if isMutant({m.number}) {{ {m.fields['replace']} }} else " for m in here) + f"{{ {original} }}"
        text = text[:start] + new + text[end:]
    return text


def write(path, text):
    """Only where it differs, so that nothing is built again for nothing."""
    path = os.path.join(COPY, path)
    if os.path.exists(path):
        with open(path, "rb") as file:
            if file.read() == text:
                return
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "wb") as file:
        file.write(text)


def copy(mutants):
    """The tree as git knows it, with the mutants. A mutated function is no client's to inline, so none is."""
    files = subprocess.run(["git", "ls-files", "-z", "--", "Sources", "Tests", "Package.swift", "docs"],
                           check=True, capture_output=True).stdout.decode().split("\0")[:-1]
    files += [name for name in ["Package.resolved"] if os.path.exists(name)]
    kept = set(files)
    for path in files:
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as file:
            data = file.read()
        if path.startswith("Sources/") and path.endswith(".swift"):
            text = mutated(data.decode(), [mutant for mutant in mutants if mutant.file == path])
            data = text.replace("@inlinable", "").encode()
        elif path == "Package.swift":
            # Without it imports are wider than they need be, and a broken line may leave a value unused.
            data = data.replace(b".treatAllWarnings(as: .error),", b"")
        write(path, data)
    for target in {"/".join(mutant.file.split("/")[:2]) for mutant in mutants}:
        write(f"{target}/Mutant.swift", SWITCH.encode())
        kept.add(f"{target}/Mutant.swift")
    for folder, _, names in os.walk(COPY):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), COPY)
            if path not in kept:
                os.remove(os.path.join(COPY, path))


def build(mutants):
    targets = ",".join(sorted({mutant.target for mutant in mutants}))
    command = ["swift", "build", "--package-path", COPY, "--scratch-path", f"{BUILD}/build", "--product", "emuPackageTests"]
    if subprocess.run(command, env={**os.environ, "EMU_TEST_TARGETS": targets}, stdout=sys.stderr).returncode:
        refuse("the copy with the mutants does not build: see above")
    for path in glob.glob(f"{BUILD}/build/debug/*PackageTests.xctest"):
        return os.path.abspath(path)
    refuse("the build has left no tests")


def end_session(session):
    """Ends what tests that were ended have left behind: programs of theirs, some of which run until they are told."""
    for path in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                number, rest = file.read().split(" (", 1)
            if int(rest.rsplit(")", 1)[1].split()[3]) == session:
                os.kill(int(number), signal.SIGKILL)
        except (OSError, ValueError):
            pass


def run(tests, number, filter, limit):
    """How the tests end: None where they pass, else in a word. Ended at the first that fails."""
    process = subprocess.Popen([tests, "--testing-library", "swift-testing", "--filter", filter],
                               env={**os.environ, "EMU_MUTANT": str(number), "SWIFT_BACKTRACE": "enable=no"},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=COPY,
                               start_new_session=True)
    timer = threading.Timer(limit, process.kill)
    timer.start()
    failed, ran = None, False
    for line in process.stdout:
        if b"\xe2\x9c\x98" in line and failed is None:
            failed = re.sub(r"\x1b\[\d+m", "", line.decode(errors="replace")).strip()
            process.kill()
        ran = ran or b"Test run with" in line and b"with 0 tests" not in line
    process.stdout.close()
    status = process.wait()
    end_session(process.pid)
    hung = not timer.is_alive() and failed is None
    timer.cancel()
    if failed:
        return f"a test failed: {failed}"
    if hung:
        return f"nothing after {limit} s"
    if status:
        return f"the process ended with {status}"
    if not ran:
        raise Unaskable(f"no test ran for {filter}")
    return None


class Tests:
    """The tests as they are built, and how long each filter's take without a mutant."""

    def __init__(self, path, is_gate):
        self.path, self.is_gate = path, is_gate
        self.lock, self.filters = threading.Lock(), {}

    def limit(self, filter):
        """How long a run with a mutant may take. The first that asks finds out, and whether all is passed without one."""
        with self.lock:
            lock, _ = self.filters.setdefault(filter, (threading.Lock(), []))
        with lock:
            times = self.filters[filter][1]
            if not times:
                begin = time.monotonic()
                if outcome := run(self.path, 0, filter, 900):
                    raise Unaskable(f"without a mutant {filter} is not passed: {outcome}")
                times.append(time.monotonic() - begin)
            return max(LEAST_LIMIT, round(5 * times[0]))

    def notice(self, mutant):
        """How the tests notice a mutant, None where they do not, and the seconds that it took. It is asked until it was
        noticed twice or missed three times: a test that fails now and then notices everything once, and one that looks at
        a race misses it once. Where there is time, each failure is asked again without the mutant."""
        filter = mutant.fields["filter"]
        limit = self.limit(filter)
        begin = time.monotonic()
        noticed, missed = [], 0
        while len(noticed) < 2 and missed < (1 if mutant.equivalent and not noticed else 3):
            if not (outcome := run(self.path, mutant.number, filter, limit)):
                missed += 1
                continue
            noticed.append(outcome)
            if not self.is_gate and (without := run(self.path, 0, filter, limit)):
                raise Unaskable(f"{filter} does not pass every time without a mutant: {without}")
        outcome = None if missed == 3 or len(noticed) < 2 else noticed[0]
        if noticed and missed:
            outcome = outcome and f"{len(noticed)} of {len(noticed) + missed} times: {outcome}"
            print(f"now and then: {mutant.group}: {mutant.name}: noticed {len(noticed)} times, missed {missed}: {noticed[0]}",
                  file=sys.stderr, flush=True)
        return outcome, time.monotonic() - begin


def spread(mutants, seed):
    """The mutants of a gate in the order of their turn: one of each area after the other. Each area's begin where those
    of the day before have ended, so that all have had their turn after some days."""
    areas = {}
    for mutant in mutants:
        if not mutant.equivalent and not mutant.slow:
            areas.setdefault(mutant.area, []).append(mutant)
    share = -(-LEAST_IN_GATE // len(areas))
    for here in areas.values():
        random.Random(len(areas)).shuffle(here)
        begin = seed * share % len(here)
        here[:] = here[begin:] + here[:begin]
    for turn in itertools.zip_longest(*(areas[area] for area in sorted(areas))):
        yield from (mutant for mutant in turn if mutant)


def ask(tests, mutants, seconds):
    """What became of each mutant, two at once where there are as many processors; after so many seconds of none beyond
    the least number."""
    outcomes, begin = {}, time.monotonic()
    turns, lock = iter(mutants), threading.Lock()

    def work():
        taken = 0
        while True:
            with lock:
                is_late = seconds is not None and time.monotonic() - begin > seconds and len(outcomes) >= LEAST_IN_GATE
                mutant = None if is_late else next(turns, None)
                if mutant is None:
                    return
                outcomes[mutant] = None
            try:
                outcome, time_taken = tests.notice(mutant)
            except BaseException:
                # Nobody takes another one.
                with lock:
                    for _ in turns:
                        pass
                raise
            outcomes[mutant] = outcome
            print(f"{'survived' if outcome is None else 'noticed'}  {mutant.group}: {mutant.name} ({time_taken:.1f} s"
                  + (f"; {outcome[:150]})" if outcome else ")"), file=sys.stderr, flush=True)

    with concurrent.futures.ThreadPoolExecutor() as pool:
        for future in [pool.submit(work) for _ in range(min(2, len(os.sched_getaffinity(0))))]:
            future.result()
    return outcomes


def report(outcomes, words=""):
    """Prints what survived and how many were noticed, by list and in all, with these words; gives the exit status."""
    survivors = [mutant for mutant, outcome in outcomes.items() if outcome is None]
    for mutant in survivors:
        print(f"survived: {mutant.name}: {mutant.file}: {mutant.fields['find']!r} as {mutant.fields['replace']!r}"
              + (f": changes nothing: {mutant.equivalent}" if mutant.equivalent else ""))
    wrong = [mutant for mutant in outcomes if mutant.equivalent and mutant not in survivors]
    for mutant in wrong:
        print(f"mutants: '{mutant.name}' is said to change nothing, and was noticed")
    counted = [mutant for mutant in outcomes if not mutant.equivalent]

    def count(mutants):
        return f"{sum(mutant not in survivors for mutant in mutants)} of {len(mutants)} noticed"

    for group in sorted({mutant.group for mutant in counted}):
        print(f"{group + ':':<18} {count([mutant for mutant in counted if mutant.group == group])}")
    print(f"mutants: {count(counted)}{words}")
    return 1 if wrong or any(not mutant.equivalent for mutant in survivors) else 0


def main():
    parser = argparse.ArgumentParser(prog="mutants", add_help=False)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--gate", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()) // 86400)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    mutants, problems = read()
    for problem in problems:
        print(f"mutants: {problem}", file=sys.stderr)
    if problems or options.check:
        sys.exit(1 if problems else 0)
    names = options.names
    chosen = [mutant for mutant in mutants if not names or any(name in f"{mutant.group}: {mutant.name}" for name in names)]
    if not chosen:
        refuse(f"no name has '{' '.join(names)}' in it")
    words = ""
    if options.gate is not None:
        words = f" (the day's of {len(mutants)}; the same ones again: --gate {options.gate} --seed {options.seed})"
        chosen = list(spread(chosen, options.seed))

    copy(mutants)
    try:
        outcomes = ask(Tests(build(mutants), options.gate is not None), chosen, options.gate)
    except Unaskable as reason:
        refuse(reason)
    sys.exit(report(outcomes, words))


main()
