"""What testpmd does with one device of `emu exec`, for scripts/test-foreign dpdk.

    loop.py EMU FOLDER SPEC [OPTION]…

Prints a line for each check: its name, pass or FAIL, seconds, what was seen, with tabs between.
"""

import os
import re
import sys
import time

from checks import Checks, Failed
from testpmd import DEVICE, Testpmd

# What sets the frames going: so many bursts, of testpmd's own size. Those that come back after are frames that have gone round.
FIRST, BURST = 4, 32


class Visit(Checks):
    """One testpmd from its start to its quit."""

    def __init__(self, emu, folder, spec, options):
        super().__init__()
        self.emu, self.spec, self.options = emu, spec, options
        self.log = os.path.join(folder, "words")
        # Frames of ports that are no more.
        self.sent = self.received = 0

    def start(self):
        self.program = Testpmd(self.emu, self.spec, self.options, self.log)
        found = re.search(r"Port 0: ([0-9A-F:]{17})", self.program.said())
        if not found:
            raise Failed(f"it has no port: {self.program.last()}")
        return f"port 0, {found[1].lower()}"

    def loop(self):
        """Frames that go round, each sent again as it comes back."""
        before = self.program.counts()
        self.program.ask(f"start tx_first {FIRST}")
        time.sleep(1)
        self.program.ask("stop")
        received, sent = (after - was for after, was in zip(self.program.counts(), before))
        if received <= FIRST * BURST:
            raise Failed(f"{sent} sent, {received} received")
        return f"{received} came back in a second"

    def restart(self):
        for command in ("port stop 0", "port start 0"):
            text = self.program.ask(command)
            if not re.search("Done|Port 0:", text):
                raise Failed(f"{command}: {text[-200:]}")
        return self.loop()

    def reopen(self):
        """The port closed, and the device opened again."""
        received, sent = self.program.counts()
        self.received += received
        self.sent += sent
        for command in ("port stop 0", "port detach 0", f"port attach {DEVICE}", "set portlist 0", "port start 0"):
            text = self.program.ask(command)
            if re.search("(?i)fail|error|invalid", text):
                raise Failed(f"{command}: {text[-200:]}")
        return self.loop()

    def quit(self):
        received, sent = self.program.counts()
        self.received += received
        self.sent += sent
        status = self.program.quit()
        said = [line for line in self.program.said().splitlines() if re.search("(warning|error|critical) emu: ", line)]
        if status != 0 or said:
            raise Failed(f"status {status}: {'; '.join(said[-3:])}")
        return "status 0, without a warning of emu's"

    def account(self):
        found = re.search(r"frames .*", self.program.said())
        if not found:
            raise Failed("emu exec says nothing of its frames")
        numbers = {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", found[0])}
        told = (
            f"sent {self.sent}, the device took {numbers['transmitEntered']}, gave back {numbers['receiveLeft']}"
            f" and dropped {numbers['receiveDropped']}; {self.received} received"
        )
        # What is in the device as a port stops is in no count of the port's.
        if numbers["receiveMissing"] or numbers["transmitMissing"] or not self.received <= numbers["receiveLeft"] <= self.sent:
            raise Failed(told)
        return told

    def all(self):
        if not self.check("start", self.start):
            return
        self.check("frames looped", self.loop)
        self.check("port stop and start", self.restart)
        self.check("close and open", self.reopen)
        self.check("quit", self.quit)
        self.check("account", self.account)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    emu, folder, spec, *options = sys.argv[1:]
    visit = Visit(emu, folder, spec, options)
    try:
        visit.all()
    finally:
        if hasattr(visit, "program"):
            visit.program.close()
    sys.exit(1 if visit.failed else 0)


main()
