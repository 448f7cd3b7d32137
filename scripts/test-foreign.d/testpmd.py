"""DPDK's testpmd under `emu exec`, spoken to as somebody at its prompt does."""

import os
import pty
import re
import select
import subprocess
import time

from checks import Failed

PROMPT = "testpmd> "
DEVICE = "net_virtio_user0,path=/dev/vhost-vdpa-0"


class Testpmd:
    """One testpmd, whose frames the device loops back."""

    def __init__(self, emu, spec, options, log, device=DEVICE):
        self.words = open(log, "w+b")
        command = [
            "dpdk-testpmd", "-l", "0,1", "--no-pci", "--no-telemetry", f"--file-prefix=emu{os.getpid()}", *options,
            f"--vdev={device}", "--", "-i", "--total-num-mbufs=4096", "--no-lsc-interrupt", "--disable-link-check",
        ]  # fmt: skip
        if emu:
            command = [emu, "exec", "--log-level", "info", "--device", spec, "--wire", "loopback", "--", *command]
        # To a pipe it would say what a command prints behind the next prompt, or at its end.
        self.terminal, other = pty.openpty()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=other, stderr=self.words)
        os.close(other)
        self.answer("start", 60)

    def answer(self, command, seconds):
        """What it prints until it asks for the next command."""
        text, deadline = "", time.monotonic() + seconds
        while not text.endswith(PROMPT):
            more = self.read(deadline)
            if more is None:
                raise Failed(f"{command}: testpmd does not answer: {text[-200:]}")
            if not more:
                raise Failed(f"{command}: testpmd has ended: {self.last()}")
            text += more.decode(errors="replace")
        return text

    def read(self, deadline):
        """What it prints next: nothing at its end, None where it prints nothing until then."""
        if not select.select([self.terminal], [], [], max(0, deadline - time.monotonic()))[0]:
            return None
        try:
            more = os.read(self.terminal, 65536)
        except OSError:  # EIO: nobody has its other side open.
            more = b""
        self.words.write(more)
        return more

    def ask(self, command, seconds=30):
        self.process.stdin.write((command + "\n").encode())
        self.process.stdin.flush()
        # What was typed is echoed behind the prompt that was there.
        return self.answer(command, seconds)

    def counts(self):
        """Frames that the port has received and sent."""
        text = self.ask("show port stats 0")
        numbers = [re.search(rf"{way}-packets: +(\d+)", text) for way in ("RX", "TX")]
        if None in numbers:
            raise Failed(f"show port stats: {text[-200:]}")
        return tuple(int(found[1]) for found in numbers)

    def quit(self):
        self.process.stdin.write(b"quit\n")
        self.process.stdin.flush()
        deadline = time.monotonic() + 30
        while more := self.read(deadline):
            pass
        try:
            return self.process.wait(max(1, deadline - time.monotonic()) if more is not None else 0)
        except subprocess.TimeoutExpired:
            raise Failed("it did not end within 30 s after quit") from None

    def said(self):
        self.words.flush()
        self.words.seek(0)
        return self.words.read().decode(errors="replace")

    def last(self):
        lines = [line for line in self.said().splitlines() if re.search("(?i)error|fail|cannot|warning", line)]
        return "; ".join((lines or self.said().splitlines())[-3:])

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.terminal)
