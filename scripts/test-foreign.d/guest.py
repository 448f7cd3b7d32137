"""What a Linux guest in QEMU does with one device of `emu exec`, for scripts/test-foreign qemu.

    guest.py EMU FOLDER KERNEL INITRD TAP NAMESPACE TRAFFIC SPEC

Prints a line for each check: its name, pass or FAIL, seconds, what was seen, with tabs between.
"""

import re
import statistics
import sys
import time

from checks import Checks, Failed
from machine import GUEST, HOST, PATIENCE, Far, Machine

FILE_BYTES = 8 << 20
PINGS = 100
STOPS = 10


class Visit(Checks):
    """One guest from its boot to its end."""

    def __init__(self, arguments):
        super().__init__()
        self.emu, self.folder, self.kernel, self.initrd, tap, namespace, traffic, spec = arguments
        self.spec = spec
        self.far = Far(tap, namespace, traffic)
        self.wire = f"tap:{tap}@{namespace}"
        # Frames by the guest's own count, of each life of its driver.
        self.guest_sent = self.guest_received = 0
        self.takes_no_position = "parent=vp-vdpa" in spec

    # What there is to see

    def boot(self):
        self.machine = Machine(self.emu, self.folder, self.kernel, self.initrd, self.wire, self.spec)
        self.machine.shell.wait_until_up()
        return self.configure()

    def configure(self):
        """Gives the guest's interface its address, and returns what it is."""
        shell = self.machine.shell
        driver = shell.run("basename $(readlink /sys/class/net/eth0/device/driver)")
        shell.run(f"ip address add {GUEST}/24 dev eth0 && ip link set eth0 up")
        mac = shell.run("cat /sys/class/net/eth0/address")
        self.far.knows(mac)
        features = shell.run("cat /sys/class/net/eth0/device/features")
        if driver != "virtio_net":
            raise Failed(f"its driver is {driver}")
        # Its carrier is there a moment after the interface is up.
        deadline = time.monotonic() + 20
        while self.far.ping(1)[1] == 0:
            if time.monotonic() > deadline:
                raise Failed("no ping is answered")
        # Its kernel drops what it would answer before that: pings that waited in the TAP.
        self.dropped = int(shell.run("cat /sys/class/net/eth0/statistics/tx_dropped"))
        return f"{driver}, {mac}, features {int(features.strip()[::-1], 2):#x}"

    def ping(self):
        sent, received = self.far.ping(PINGS)
        if received != sent:
            raise Failed(f"{received} of {sent} answered")
        return f"{received} of {sent} answered"

    def file_out(self):
        """A file from the guest."""
        shell = self.machine.shell
        digest = shell.run(f"head -c {FILE_BYTES} /dev/urandom >/file && sha256sum /file").split()[0]
        receiver = self.far.start("timeout", str(PATIENCE), "python3", self.far.traffic, "file-receive", HOST, "7001")
        self.wait_listening(7001)
        shell.begin(f"nc {HOST} 7001 </file")
        status, answer = shell.end()
        received = receiver.communicate(timeout=PATIENCE)[0].strip()
        if status != 0 or received != digest:
            raise Failed(f"sha256 {digest[:12]} sent, {received[-60:]} received; nc ended with {status}: {answer[-100:]}")
        return f"{FILE_BYTES >> 20} MiB, sha256 {digest[:12]} on both sides"

    def file_in(self):
        """A file to the guest."""
        shell = self.machine.shell
        shell.begin("nc -l -p 7002 >/file </dev/null && sha256sum /file")
        sender, digest = None, ""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            sender = self.far.start("timeout", str(PATIENCE), "python3", self.far.traffic, "file-send", GUEST, "7002", str(FILE_BYTES))
            # Until it listens there is nobody.
            time.sleep(0.5)
            if sender.poll() in (None, 0):
                break
        digest = sender.communicate(timeout=PATIENCE)[0].strip()
        status, answer = shell.end()
        if status != 0 or not answer.startswith(digest) or len(digest) != 64:
            raise Failed(f"sha256 {digest[-60:]} sent, {answer[-100:]} received, status {status}")
        return f"{FILE_BYTES >> 20} MiB, sha256 {digest[:12]} on both sides"

    def wait_listening(self, port):
        deadline = time.monotonic() + PATIENCE
        while not self.far.run("ss", "-Hlnt", f"sport = :{port}").stdout.strip():
            if time.monotonic() > deadline:
                raise Failed(f"nobody listens at port {port}")
            time.sleep(0.05)

    def stop_and_cont(self, stood=0.02, moved=0.1):
        """The seconds that both took until QEMU had answered."""
        stop = self.machine.qmp.ask("stop")[1]
        time.sleep(stood)
        cont = self.machine.qmp.ask("cont")[1]
        time.sleep(moved)
        return stop, cont

    def stops(self):
        """QEMU 7.2 resets the device before it asks for the rings' positions. So it starts the device again with those of one that was
        reset, and the guest's rings and the device's differ until the driver makes new ones; a device that takes no position at all is
        not started again, ever. A pass where that is what is seen: docs/exec.md has it among the findings."""
        times = [self.stop_and_cont() for _ in range(STOPS)]
        sent, received = self.far.ping(20)
        given_up = "falling back on userspace" in self.machine.said()
        if received or given_up != self.takes_no_position:
            raise Failed(f"{received} of {sent} pings answered behind a stop; QEMU {'gave' if given_up else 'did not give'} the device up")
        told = ", ".join(f"{name} {statistics.median(column) * 1e3:.1f} ms" for name, column in zip(("stop", "cont"), zip(*times)))
        why = "QEMU has given the device up" if given_up else "QEMU has lost the rings' positions"
        return f"{STOPS} times: {told}; {why}: no frame passes"

    # The driver's lives

    def count_life(self):
        """Adds what the guest's driver has counted since it was bound."""
        shell = self.machine.shell
        self.far.settle()
        # A frame that was sent is counted with the next one.
        self.far.ping(3, 0.2)
        self.far.settle()
        names = ("tx_packets", "rx_packets", "tx_dropped", "rx_dropped", "rx_errors", "tx_errors")
        text = shell.run(f"cd /sys/class/net/eth0/statistics && cat {' '.join(names)}; cd /")
        counts = dict(zip(names, map(int, text.split())))
        counts["tx_dropped"] -= self.dropped
        self.guest_sent += counts["tx_packets"]
        self.guest_received += counts["rx_packets"]
        odd = {name: count for name, count in counts.items() if count and not name.endswith("packets")}
        if odd:
            raise Failed(f"the guest's driver counts {odd}")
        return f"{counts['tx_packets']} sent and {counts['rx_packets']} received by the guest's count"

    def bind_again(self):
        shell = self.machine.shell
        device = shell.run("basename $(readlink -f /sys/class/net/eth0/device)")
        for file in ("unbind", "bind"):
            shell.run(f"echo {device} >/sys/bus/virtio/drivers/virtio_net/{file}")
        return self.configure()

    def reboot(self):
        self.machine.shell.begin("echo b >/proc/sysrq-trigger")
        self.machine.shell.wait_until_up()
        return self.configure()

    def lives(self):
        if not self.check("boot", self.boot):
            return
        self.check("ping", self.ping)
        self.check("file out", self.file_out)
        self.check("file in", self.file_in)
        self.check("frames, first driver", self.count_life)
        self.check("unbind and bind", self.bind_again)
        self.check("ping", self.ping)
        self.check("frames, second driver", self.count_life)
        self.check("reboot", self.reboot)
        self.check("ping", self.ping)
        self.check("file out", self.file_out)
        self.check("frames, third driver", self.count_life)
        self.check("stop and cont", self.stops)
        if not self.takes_no_position:
            self.check("unbind and bind", self.bind_again)
            self.check("ping", self.ping)
            self.check("frames, fourth driver", self.count_life)

    # The end

    def account(self):
        """Every frame of the TAP's is one of the guest's or of a named counter of the device's."""
        given, taken, dropped = self.far.settle()
        found = re.search(r"frames .*", self.machine.said())
        if not found:
            raise Failed(f"emu exec says nothing of its frames: {self.machine.said()[-200:]}")
        numbers = {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", found[0])}
        named = numbers["receiveDropped"]
        told = (
            f"out: guest {self.guest_sent}, device {numbers['transmitEntered']}, TAP {taken};"
            f" in: TAP {given}, device {numbers['receiveEntered']}, guest {self.guest_received}, {named} dropped by name"
        )
        if not (self.guest_sent == numbers["transmitEntered"] == taken and dropped == 0):
            raise Failed(f"{told}; the TAP dropped {dropped}")
        if not (given == numbers["receiveEntered"] == self.guest_received + named):
            raise Failed(told)
        return told

    def end(self):
        status = self.machine.end()
        # Of a device that it has given up QEMU speaks.
        ours = "(warning|error|critical) emu: " if self.takes_no_position else "(warning|error|critical) emu: |qemu-system"
        lines = self.machine.said().splitlines()
        said = [line for line in lines if re.match(ours, line)]
        if status != 0 or said:
            raise Failed(f"status {status}: {'; '.join(said[-3:])}")
        rules = [" ".join(found.groups()) for line in lines if (found := re.match(r"(error|warning|advice) (\d+),", line))]
        return f"status 0, without a warning of emu's; client rules: {', '.join(rules) or 'none broken'}"


def main():
    if len(sys.argv) != 9:
        sys.exit(__doc__)
    visit = Visit(sys.argv[1:])
    try:
        visit.lives()
        if hasattr(visit, "machine"):
            visit.check("end", visit.end)
            visit.check("account", visit.account)
    finally:
        if hasattr(visit, "machine"):
            visit.machine.close()
    sys.exit(1 if visit.failed else 0)


main()
