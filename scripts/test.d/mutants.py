"""Builds a copy of emu with every mutant of Tests/Mutants in it, and runs the tests with one of them active at a time.

A mutant is a place in a file, `find`, which with `before` and `after` around it occurs once there, and what stands in
its place while the mutant is active, `replace`: an expression or a statement. `filter` names the tests that are to
notice. `equivalent` says why nothing can notice, where that is so.
"""
import glob
import json
import os
import re
import subprocess
import sys
import threading
import time

LISTS = "Tests/Mutants/*.json"
BUILD = ".build-mutants"
COPY = f"{BUILD}/source"
# The least time that a run of the tests gets; a mutant that makes them hang is noticed by it.
LEAST_LIMIT = 60
FIELDS = {"name", "file", "kind", "before", "find", "after", "replace", "filter", "equivalent"}

SWITCH = """internal import Glibc

/// The number of the mutant that is active, 0 for none.
let activeMutant = unsafe getenv("EMU_MUTANT").flatMap { unsafe Int(String(cString: $0)) } ?? 0

func isMutant(_ number: Int) -> Bool { activeMutant == number }
"""


def refuse(words):
    """Ends the script where the question could not be asked."""
    print(f"mutants: {words}", file=sys.stderr)
    sys.exit(2)


class Mutant:
    def __init__(self, group, number, fields):
        self.group, self.number, self.fields = group, number, fields
        self.name, self.file = fields["name"], fields["file"]
        self.equivalent = fields.get("equivalent")
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


def run(tests, number, filter, limit):
    """How the tests end: None where they pass, else in a word. Ended at the first that fails. That none ran ends the script."""
    process = subprocess.Popen([tests, "--testing-library", "swift-testing", "--filter", filter],
                               env={**os.environ, "EMU_MUTANT": str(number), "SWIFT_BACKTRACE": "enable=no"},
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, cwd=COPY)
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
    hung = not timer.is_alive() and failed is None
    timer.cancel()
    if failed:
        return f"a test failed: {failed}"
    if hung:
        return f"nothing after {limit} s"
    if status:
        return f"the process ended with {status}"
    if not ran:
        refuse(f"no test ran for {filter}")
    return None


def notice(tests, mutant, limit):
    """How the tests notice a mutant: None where they do not. A test that fails now and then notices everything, so what
    is noticed by a failure is asked again, without the mutant and with it."""
    filter = mutant.fields["filter"]
    outcome = run(tests, mutant.number, filter, limit)
    if outcome is None:
        return None
    if without := run(tests, 0, filter, limit):
        refuse(f"{filter} does not pass every time without a mutant: {without}")
    return outcome if run(tests, mutant.number, filter, limit) else None


def main():
    wanted = sys.argv[1:]
    mutants, problems = read()
    for problem in problems:
        print(f"mutants: {problem}", file=sys.stderr)
    if problems or wanted == ["--check"]:
        sys.exit(1 if problems else 0)
    chosen = [mutant for mutant in mutants if not wanted or any(word in f"{mutant.group}: {mutant.name}" for word in wanted)]
    if not chosen:
        refuse(f"no name has '{' '.join(wanted)}' in it")

    copy(mutants)
    tests = build(mutants)
    limits = {}
    for filter in sorted({mutant.fields["filter"] for mutant in chosen}):
        begin = time.monotonic()
        if outcome := run(tests, 0, filter, 900):
            refuse(f"without a mutant {filter} is not passed: {outcome}")
        limits[filter] = max(LEAST_LIMIT, round(5 * (time.monotonic() - begin)))
    survivors = []
    for mutant in chosen:
        outcome = notice(tests, mutant, limits[mutant.fields["filter"]])
        print(f"{'survived' if outcome is None else 'noticed'}  {mutant.group}: {mutant.name}"
              + (f" ({outcome[:150]})" if outcome else ""), file=sys.stderr, flush=True)
        if outcome is None:
            survivors.append(mutant)
    for mutant in survivors:
        print(f"survived: {mutant.name}: {mutant.file}: {mutant.fields['find']!r} as {mutant.fields['replace']!r}"
              + (f": changes nothing: {mutant.equivalent}" if mutant.equivalent else ""))
    counts = []
    for group in sorted({mutant.group for mutant in chosen}):
        here = [mutant for mutant in chosen if mutant.group == group and not mutant.equivalent]
        counts.append(f"{group} {sum(mutant not in survivors for mutant in here)} of {len(here)} noticed")
    print(f"mutants: {', '.join(counts)}")
    wrong = [mutant for mutant in chosen if mutant.equivalent and mutant not in survivors]
    for mutant in wrong:
        print(f"mutants: '{mutant.name}' is said to change nothing, and was noticed")
    sys.exit(1 if wrong or any(not mutant.equivalent for mutant in survivors) else 0)


main()
