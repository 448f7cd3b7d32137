"""A Linux guest in QEMU under `emu exec`, as the test sees it from outside: QMP, a shell in the guest, the TAP's end."""

import contextlib
import json
import os
import re
import socket
import subprocess
import time

from checks import Failed

GUEST, HOST = "10.99.0.1", "10.99.0.2"
# What an emulated processor may take on a machine that others use too.
PATIENCE = 120


def connected(path, process, deadline):
    """A connection to a socket that is there in a moment."""
    while True:
        made = socket.socket(socket.AF_UNIX)
        try:
            made.connect(path)
            return made
        except OSError:
            made.close()
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failed("QEMU did not come as far as its sockets")
        time.sleep(0.02)


class Lines:
    """A stream of lines, each waited for so long and no longer."""

    def __init__(self, stream):
        self.stream, self.rest = stream, b""

    def send(self, text):
        self.stream.sendall(text.encode())

    def next(self, deadline):
        while b"\n" not in self.rest:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.stream.settimeout(left)
            more = self.stream.recv(65536)
            if not more:
                raise EOFError
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode(errors="replace").rstrip("\r")


class QMP:
    """QEMU's own commands."""

    def __init__(self, stream):
        self.lines = Lines(stream)
        self.lines.next(time.monotonic() + PATIENCE)
        self.ask("qmp_capabilities")

    def ask(self, command, **arguments):
        """Its answer, and the seconds until it came."""
        begin = time.monotonic()
        self.lines.send(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        while True:
            try:
                answer = json.loads(self.lines.next(begin + PATIENCE))
            except (TimeoutError, EOFError, OSError):
                raise Failed(f"QEMU does not answer to {command}") from None
            if "return" in answer:
                return answer["return"], time.monotonic() - begin
            if "error" in answer:
                raise Failed(f"{command}: {answer['error']['desc']}")


class Shell:
    """The shell that the guest's first process is."""

    def __init__(self, stream):
        self.lines = Lines(stream)

    def wait_until_up(self):
        deadline = time.monotonic() + PATIENCE
        with self.telling("the guest did not come up"):
            while self.lines.next(deadline) != "the guest is up":
                pass

    def begin(self, line):
        self.lines.send(line + "\n")

    def end(self, seconds=PATIENCE):
        """The status and the lines of the command that was begun."""
        answer = []
        with self.telling("the guest's command did not end"):
            deadline = time.monotonic() + seconds
            while not (found := re.fullmatch(r"=(\d+)", line := self.lines.next(deadline))):
                answer.append(line)
        return int(found[1]), "\n".join(answer).strip()

    def run(self, line, seconds=PATIENCE):
        """What the command prints; one that fails is a failure."""
        self.begin(line)
        status, answer = self.end(seconds)
        if status != 0:
            raise Failed(f"in the guest, {line!r}: status {status}: {answer[-200:]}")
        return answer

    @contextlib.contextmanager
    def telling(self, words):
        try:
            yield
        except (TimeoutError, EOFError, OSError) as error:
            raise Failed(f"{words}: {type(error).__name__}") from None


class Machine:
    """The guest, its QEMU and the emu that QEMU runs under."""

    def __init__(self, emu, folder, kernel, initrd, wire, spec, memory="memory-backend-memfd,share=on"):
        self.folder, self.spec = folder, spec
        self.words = open(os.path.join(folder, "words"), "w+b")
        shell, qmp = (os.path.join(folder, name) for name in ("shell", "qmp"))
        # As scripts/kernel-vm has it: what an emulated processor is spared.
        arguments = (
            "console=ttyS0 quiet panic=-1 rdinit=/foreign-init ipv6.disable=1 tsc=nowatchdog no_timer_check init_on_alloc=0"
            " mitigations=off norandmaps rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60"
        )
        self.process = subprocess.Popen(
            [emu, "exec", "--log-level", "info", "--device", spec, "--wire", wire, "--",
             "qemu-system-x86_64", "-M", "q35,memory-backend=memory", "-object", f"{memory},id=memory,size=256M", "-m", "256M",
             "-accel", "tcg", "-cpu", "max,-erms", "-smp", "1", "-nodefaults", "-no-user-config", "-display", "none",
             "-serial", f"file:{folder}/console", "-chardev", f"socket,id=shell,path={shell},server=on,wait=off",
             "-serial", "chardev:shell", "-qmp", f"unix:{qmp},server=on,wait=off",
             "-netdev", "vhost-vdpa,id=net,vhostdev=/dev/vhost-vdpa-0",
             "-device", "virtio-net-pci,netdev=net,disable-legacy=on,iommu_platform=on,romfile=",
             "-kernel", kernel, "-initrd", initrd, "-append", arguments],
            stdin=subprocess.DEVNULL, stdout=self.words, stderr=self.words)  # fmt: skip
        deadline = time.monotonic() + PATIENCE
        self.shell = Shell(connected(shell, self.process, deadline))
        self.qmp = QMP(connected(qmp, self.process, deadline))

    def said(self):
        """What emu and QEMU have said."""
        self.words.seek(0)
        return self.words.read().decode(errors="replace").strip()

    def end(self):
        """Ends QEMU as a management layer does. The status of emu exec."""
        with contextlib.suppress(Failed):
            self.qmp.ask("quit")
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.close()
            raise Failed("emu exec did not end within 30 s after QEMU's quit") from None

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


class Far:
    """The end of the wire: a TAP in a network namespace, and those that speak through it."""

    def __init__(self, tap, namespace, traffic):
        self.tap, self.namespace, self.traffic = tap, namespace, traffic

    def words(self, *command):
        return ["ip", "netns", "exec", self.namespace, *command]

    def run(self, *command):
        return subprocess.run(self.words(*command), capture_output=True, text=True, timeout=PATIENCE)

    def start(self, *command):
        return subprocess.Popen(self.words(*command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def knows(self, mac):
        self.run("ip", "neighbour", "replace", GUEST, "lladdr", mac, "dev", self.tap, "nud", "permanent")

    def counters(self):
        """Frames that the kernel has given to the device, those it has taken from it, and those it has dropped of the latter."""
        text = self.run("ip", "-s", "-j", "link", "show", self.tap).stdout
        numbers = json.loads(text)[0]["stats64"]
        return numbers["tx"]["packets"], numbers["rx"]["packets"], numbers["rx"]["dropped"] + numbers["rx"]["errors"]

    def settle(self):
        """Returns when no frame has moved for a while."""
        before = None
        for _ in range(100):
            after = self.counters()
            if after == before:
                return after
            before = after
            time.sleep(0.3)
        raise Failed("frames go on moving though nobody sends any")

    def ping(self, count, interval=0.02):
        """How many of so many pings were answered. Those at the end that were not do not count as sent, a few of them: ping waits for two
        round trips, and the machine may be busy. Whether their frames came through the account of frames says."""
        text = self.run("ping", "-n", "-i", str(interval), "-W", "2", "-c", str(count), GUEST).stdout
        answered = [int(number) for number in re.findall(r"icmp_seq=(\d+) ttl", text)]
        if "packets transmitted" not in text or len(set(answered)) != len(answered):
            raise Failed(f"ping: {text[-200:]}")
        late = count - max(answered, default=0)
        return count - (late if late <= count // 20 else 0), len(answered)
