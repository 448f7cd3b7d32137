"""Where trials run: the program, the folder, the TAPs, the user."""

import contextlib
import itertools
import json
import os
import pathlib
import pwd
import queue
import re
import shutil
import subprocess
import uuid


class Command:
    """A command of emu's that is tried, and how to see that its answer is whole."""

    def __init__(self, name, text, json=False, report=False, taps=False, root=False, lines=None, calls=True, capture=None, record=None,
                 status=0):
        self.name, self.words = name, text.split()
        # What its stdout must be: JSON, or as many lines as without a fault ("same"), or a verdict.
        self.json, self.lines = json, lines
        # Whether its calls are refused one by one. Not those of all rules: strace -k takes minutes to list them, as each
        # mapping that is made or moved has it read all mappings anew.
        self.calls = calls
        self.report, self.taps = report, taps
        # A file that its frames go to, and one that its calls go to.
        self.capture, self.record = capture, record
        # How it ends without a fault. What cannot start on any machine like this one has one line, and never ends with 0.
        self.status = status
        # TAPs in a namespace and pages pinned over the limit take privileges.
        self.root = root or taps
        self.whole = None

    def __str__(self):
        return self.name


COMMANDS = (
    Command("help", "--help", lines="same"),
    Command("info", "info", lines="same"),
    Command("info-json", "info --json", json=True),
    Command("check-only", "check --only 1,12,21,30,33,39,51,62", lines="same"),
    Command("check", "check", lines="same", calls=False),
    Command("check-json", "check --json", json=True, calls=False),
    Command("check-all", "check --device all --only 1,39 --json", json=True, calls=False),
    Command("table", "check --table TABLE", lines="same"),
    Command("sequences", "check --sequences 3", lines="same"),
    Command("cycle", "cycle --memory 64M --cycles 2 --strategy remap,persist,resume --report REPORT", report=True),
    Command("cycle-baseline", "cycle --memory 64M --cycles 2 --strategy persist --baseline BASELINE --json", json=True),
    Command("cycle-json", "cycle --memory 64M --cycles 2 --strategy remap,persist --json", json=True),
    Command("run", "run --memory 64M --duration 200ms --interval 50ms"),
    Command("run-json", "run --memory 64M --duration 200ms --interval 50ms --json", json=True),
    Command("run-compare", "run --compare --memory 64M --duration 100ms --interval 20ms --json", json=True),
    Command("run-capture", "run --memory 64M --duration 200ms --interval 50ms --guest capture:guest.pcapng", capture="guest.pcapng"),
    Command("run-pinned", "run --device sim,use-va=off,memlock=unlimited,entries=65536 --memory 64M --duration 200ms --interval 50ms",
            root=True),
    Command("run-record", "run --memory 64M --duration 200ms --interval 50ms --record run.script", record="run.script"),
    Command("check-record", "check --only 1,12,39 --record check.script", lines="same", record="check.script"),
    Command("replay", "replay SCRIPT", lines="same"),
    Command("replay-json", "replay SCRIPT --against sim --json", json=True),
    Command("replay-random", "replay --random 3 --calls 60 --seed 1 --against sim --json", json=True),
    # Where there is VDUSE it serves a device until somebody ends it: scripts/test-kernel has that (steps/85-vduse.sh).
    *([] if os.path.exists("/dev/vduse/control") else [Command("vduse", "vduse --name faults0", status=2)]),
    Command("run-tap", "run --memory 64M --duration 200ms --interval 50ms --guest GUEST --wire WIRE", taps=True),
)


# A script with something of everything that a process does, and answers that are expected.
SCRIPT = """open -> ok
SET_OWNER -> ok
memory ram 8K shared
UPDATE iova=0x1000 size=0x2000 memory=ram+0x0 access=rw -> ok
store ram+0x0 bytes=00ff
load ram+0x0 length=2 -> bytes=00ff
protect ram+0x1000 4K none
eventfd kick
SET_VRING_KICK index=1 fd=kick -> ok
signal kick
take kick -> 1
child SET_VRING_NUM index=0 num=8 -> EPERM
settle
GET_VRING_BASE index=1 -> 0
close -> ok
"""


def kernel_folder(folder):
    """What scripts/test-kernel --keep leaves of a kernel, in short."""
    log = os.path.join(folder, "6.12-vdpasim-batch-1", "log")
    os.makedirs(log)
    rules = [{"number": 1, "title": "one", "outcome": "passed"}, {"number": 2, "title": "two", "outcome": "failed", "seen": "EPERM"}]
    report = {"schema": "check", "schemaVersion": 1, "device": "d", "rules": rules, "passed": 1, "failed": 1, "notApplicable": 0,
              "notAsked": 0, "notRun": 0, "interrupted": False, "problems": []}
    files = {"conformance.json": json.dumps(report), "conformance-twin.json": json.dumps(report), "conformance.out": "",
             "../release": "6.12.1-amd64 #1 SMP Debian 6.12.1-1 (2026-01-01)\n"}
    for name, text in files.items():
        with open(os.path.join(log, name), "w", encoding="utf-8") as file:
            file.write(text)
    return folder


class Place:
    """A folder of its own for one run, and TAPs that nobody else has meanwhile."""

    table = baseline = script = None

    def __init__(self, command, folder, taps):
        self.command, self.folder, self.taps = command, folder, taps
        self.reports = os.path.join(folder, "report")
        if "TABLE" in command.words:
            self.table = kernel_folder(os.path.join(folder, "kept"))
        if "BASELINE" in command.words:
            self.baseline = os.path.join(folder, "floor.jsonl")
            with open(self.baseline, "w", encoding="utf-8") as file:
                file.write('{"strategy": "persist", "memoryBytes": 67108864, "p50": 20}\n')
        if "SCRIPT" in command.words:
            self.script = os.path.join(folder, "played.script")
            with open(self.script, "w", encoding="utf-8") as file:
                file.write(SCRIPT)
        given = {"SCRIPT": self.script, "REPORT": self.reports, "TABLE": self.table, "BASELINE": self.baseline, "GUEST": taps and taps[0], "WIRE": taps and taps[1]}
        self.arguments = [given.get(word, word) for word in command.words]

    def incomplete(self, outcome):
        """What is missing in the answer of a run that ended with 0."""
        if self.command.status != 0:
            yield "it ended with 0 where it cannot start"
            return
        if "stdout" in outcome.trial.lost:
            yield "its answer could not be written, and it ended with 0"
            return
        if self.command.json:
            try:
                answer = json.loads(outcome.out)
                if "schemaVersion" not in answer or answer.get("schema") in (None, "error"):
                    yield f"stdout holds no result, but an object of schema {answer.get('schema')!r}"
            except ValueError as error:
                yield f"stdout holds no whole JSON: {error}"
        elif self.command.lines == "same" and self.command.whole is not None:
            count = len(outcome.out.splitlines())
            if count != self.command.whole:
                yield f"{count} of {self.command.whole} lines on stdout"
        elif not outcome.out.strip():
            yield "nothing on stdout"
        if self.command.report:
            for name, end in (("index.html", "</html>"), ("cycles.csv", "\n"), ("cycles.svg", "</svg>")):
                yield from self.damaged(name, end)

        if self.command.capture:
            yield from self.cut(self.command.capture)
        if self.command.record:
            yield from self.cut_script(self.command.record)

    def cut_script(self, name):
        """Whether a recording is not of whole lines, or lacks what every command does: the close of its last file."""
        try:
            with open(os.path.join(self.folder, name), encoding="utf-8") as file:
                text = file.read()
        except OSError as error:
            yield f"{name}: {error.strerror}"
            return
        if not text.endswith("\n") or not re.search(r"^(\w+\.)?close -> ok$", text, re.M):
            yield f"{name} is cut"

    def cut(self, name):
        """Whether a pcapng file is not of whole blocks: each has its length behind its type, and once more at its end."""
        try:
            with open(os.path.join(self.folder, name), "rb") as file:
                blocks = file.read()
        except OSError as error:
            yield f"{name}: {error.strerror}"
            return
        at = 0
        while at < len(blocks):
            length = int.from_bytes(blocks[at + 4 : at + 8], "little")
            if length < 12 or blocks[at + length - 4 : at + length] != blocks[at + 4 : at + 8]:
                yield f"{name} is cut"
                return
            at += length
        if at == 0:
            yield f"{name} is empty"

    def damaged(self, name, end):
        try:
            with open(os.path.join(self.reports, name), encoding="utf-8") as file:
                text = file.read()
        except OSError as error:
            yield f"{name}: {error.strerror}"
            return
        if not (text.rstrip().endswith(end) if end.strip() else text.endswith(end)):
            yield f"{name} is not whole"

    def left_behind(self):
        return []


class Machine:
    def __init__(self, program, folder, user, jobs):
        self.program, self.folder, self.user, self.jobs = program, folder, user, jobs
        self.counter = itertools.count()
        self.prefix = []
        self.environment = {"PATH": os.environ["PATH"], "HOME": "/", "LANG": "C.UTF-8"}
        for name in ("LD_LIBRARY_PATH",):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        if user:
            entry = pwd.getpwnam(user)
            self.prefix = ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--"]
        self.root = os.geteuid() == 0 and not user
        self.taps = queue.Queue()
        self.namespace = None

    def prepare(self, source):
        """Builds the injector, which stays, so that a failure can be seen again."""
        self.hits = os.path.join(self.folder, "hits")
        os.mkdir(self.hits)
        os.chmod(self.hits, 0o777)
        built = pathlib.Path(source).resolve().parents[2] / ".build-faults"
        built.mkdir(exist_ok=True)
        self.injector = str(built / "inject")
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", self.injector, source], check=True)

    def make_taps(self):
        """A namespace with a pair of TAPs for each job, and datagrams that run into them."""
        self.namespace = "emu-faults-" + uuid.uuid4().hex[:8]
        ip = lambda *words: subprocess.run(["ip", *words], check=True)
        ip("netns", "add", self.namespace)
        for job in range(self.jobs):
            for side in "gw":
                name = f"ft{side}{job}"
                ip("-n", self.namespace, "tuntap", "add", name, "mode", "tap", "vnet_hdr")
                ip("-n", self.namespace, "link", "set", name, "up")
                ip("-n", self.namespace, "address", "add", f"10.{77 + (side == 'w')}.{job}.1/24", "dev", name)
                ip("-n", self.namespace, "neighbour", "add", f"10.{77 + (side == 'w')}.{job}.2", "lladdr", "02:00:00:00:00:02",
                   "dev", name, "nud", "permanent")
            self.taps.put((f"tap:ftg{job}@{self.namespace}", f"tap:ftw{job}@{self.namespace}"))
        talk = ("import socket, time\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\nwhile True:\n"
                f"    for j in range({self.jobs}):\n        for n in (77, 78):\n            try: s.sendto(b'x' * 200, (f'10.{{n}}.{{j}}.2', 9))\n"
                "            except OSError: pass\n    time.sleep(0.005)\n")
        self.talker = subprocess.Popen(["ip", "netns", "exec", self.namespace, "python3", "-c", talk], start_new_session=True)

    def close(self):
        if self.namespace:
            self.talker.kill()
            self.talker.wait()
            subprocess.run(["ip", "netns", "del", self.namespace], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    @contextlib.contextmanager
    def place(self, command):
        folder = os.path.join(self.folder, "run-" + uuid.uuid4().hex[:12])
        os.mkdir(folder)
        os.chmod(folder, 0o777)
        taps = self.taps.get() if command.taps else None
        try:
            yield Place(command, folder, taps)
        finally:
            if taps:
                self.taps.put(taps)
            shutil.rmtree(folder, ignore_errors=True)


def pinned_pages():
    """The pages that anything on this machine has pinned now, or None where the kernel does not say."""
    with contextlib.suppress(OSError):
        with open("/proc/sys/vm/stat_refresh", "w", encoding="ascii") as file:
            file.write("1")
    try:
        with open("/proc/vmstat", encoding="ascii") as file:
            numbers = dict(line.split() for line in file)
        return int(numbers["nr_foll_pin_acquired"]) - int(numbers["nr_foll_pin_released"])
    except (OSError, KeyError):
        return None


def namespaces():
    """The names of the network namespaces that have one."""
    try:
        return set(os.listdir("/run/netns"))
    except OSError:
        return set()


