"""Every frame between two TAPs: emu's accounts held against the kernel's own statistics of the interfaces.

    account.py EMU FOLDER [PART OF A CASE'S NAME]

For each TAP, what the kernel handed to emu (tx_packets) is what entered emu there, what it took from emu (rx_packets) is
what left emu there, and what it refused (rx_dropped, less what it took and dropped by itself) is what emu says was refused
or found no room. Both directions, frames of 60 to 9014 bytes, MTUs of 1500 and 9000, links that go down, flap and vanish,
rings that start over. Prints a line for each case, CASE TAB pass|FAIL TAB DETAIL; exit status 1 where one failed.
"""

import contextlib
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid

ETHERTYPE = 0x88B5  # for experiments: no protocol of the kernel takes it
SIZES = (60, 64, 128, 512, 1024, 1500, 1514, 1518, 2035, 2036, 2037, 2048, 4096, 8192, 9000, 9014)
SETNS = 308
STATISTICS = ("tx_packets", "tx_dropped", "rx_packets", "rx_dropped", "rx_errors")


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=not check, text=True)


class Side:
    """A namespace with a TAP, which raw frames are sent into and counted out of."""

    def __init__(self, name, mtu):
        self.name, self.tap = name, "emut" + name[-6:]
        ip("netns", "add", name)
        for family in ("all", "default"):
            subprocess.run(["ip", "netns", "exec", name, "sh", "-c", f"echo 1 >/proc/sys/net/ipv6/conf/{family}/disable_ipv6"],
                           check=False, stderr=subprocess.DEVNULL)
        self.make(mtu)
        # Whether the interface has come up again under traffic.
        self.came_up = False
        self.last = dict.fromkeys(STATISTICS, 0)

    def make(self, mtu):
        ip("-n", self.name, "tuntap", "add", self.tap, "mode", "tap", "vnet_hdr")
        ip("-n", self.name, "link", "set", self.tap, "mtu", str(mtu))
        ip("-n", self.name, "link", "set", self.tap, "up")
        self.index = None
        self.socket = self.inside(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE)))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        self.socket.bind((self.tap, ETHERTYPE))

    def inside(self, action):
        """Does something in the namespace, on a thread that has no other use."""
        answer = []

        def work():
            with open(f"/run/netns/{self.name}", "rb") as file:
                os.setns(file.fileno(), 0x40000000) if hasattr(os, "setns") else setns(file.fileno())
            answer.append(action())

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return answer[0]

    def statistics(self):
        """The kernel's numbers of the TAP; the last ones that were seen where it is gone."""
        text = ip("-n", self.name, "-s", "-s", "-j", "link", "show", self.tap, check=False)
        with contextlib.suppress(ValueError, LookupError):
            numbers = json.loads(text.stdout)[0]["stats64"]
            self.last = {f"{way}_{what}": numbers[way][what] for way in ("tx", "rx") for what in ("packets", "dropped")}
            self.last["rx_errors"] = numbers["rx"]["errors"]
        return dict(self.last)

    def set(self, *words):
        self.came_up |= words == ("up",)
        ip("-n", self.name, "link", "set", self.tap, *words)

    def remove(self):
        self.socket.close()
        ip("netns", "del", self.name, check=False)


def setns(descriptor):
    import ctypes

    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def frame(number, size):
    """A frame that says its number, and whose every byte follows from it."""
    body = random.Random(number).randbytes(size - 22)
    return b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01" + struct.pack(">HQ", ETHERTYPE, number) + body


class Traffic:
    """Numbered frames from one side to the other."""

    def __init__(self, source, sink, numbers):
        self.source, self.sink, self.next = source, sink, numbers
        self.sizes, self.seen = {}, {}
        self.altered = self.refused = 0
        # The first number that has to arrive.
        self.begin = numbers

    def send(self, size):
        number = self.next
        self.next += 1
        try:
            self.source.socket.send(frame(number, size))
            self.sizes[number] = size
        except OSError:
            self.refused += 1

    def collect(self):
        if self.sink.socket.fileno() < 0:
            return
        self.sink.socket.setblocking(False)
        with contextlib.suppress(OSError):
            while True:
                data, address = self.sink.socket.recvfrom(1 << 16)
                if address[2] == socket.PACKET_OUTGOING:
                    continue
                number = struct.unpack_from(">Q", data, 14)[0]
                self.seen[number] = self.seen.get(number, 0) + 1
                size = self.sizes.get(number)
                if size is None or data != frame(number, size):
                    self.altered += 1
        self.sink.socket.setblocking(True)

    @property
    def duplicated(self):
        return sum(count - 1 for count in self.seen.values())

    def missing(self, upto):
        return [number for number, size in self.sizes.items() if self.begin <= number and size <= upto and number not in self.seen]


class Case:
    def __init__(self, emu, folder, name, mtus=(1500, 1500), options=()):
        self.emu, self.folder, self.name, self.options = emu, folder, name, options
        tag = uuid.uuid4().hex[:6]
        self.guest, self.wire = Side(f"emu-guest-{tag}", mtus[0]), Side(f"emu-wire-{tag}", mtus[1])
        self.mtus = mtus
        self.there, self.back = Traffic(self.guest, self.wire, 1), Traffic(self.wire, self.guest, 1 << 32)
        self.gone = set()

    def start(self):
        self.answer = open(os.path.join(self.folder, "answer.json"), "w+b")
        self.words = open(os.path.join(self.folder, "words"), "w+b")
        self.process = subprocess.Popen(
            [self.emu, "run", "--json", "--memory", "64M", "--duration", "600s", "--guest", f"tap:{self.guest.tap}@{self.guest.name}",
             "--wire", f"tap:{self.wire.tap}@{self.wire.name}", *self.options], stdout=self.answer, stderr=self.words)
        # The first frame that comes through says that it carries.
        deadline = time.monotonic() + 20
        while not self.there.seen or not self.back.seen:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"emu carries no frames: {self.said()}")
            for traffic in (self.there, self.back):
                traffic.send(60)
                traffic.collect()
            time.sleep(0.01)
        # What was sent before emu was there has gone nowhere.
        for traffic in (self.there, self.back):
            traffic.begin = traffic.next

    def said(self):
        self.words.seek(0)
        return self.words.read().decode(errors="replace").strip()[-300:]

    def exchange(self, count, rate=2000):
        """So many frames each way, of every size that their side may send."""
        for step in range(count):
            for traffic, mtu in ((self.there, self.mtus[0]), (self.back, self.mtus[1])):
                size = SIZES[step % len(SIZES)]
                if size <= mtu + 14:
                    traffic.send(size)
                if step % 16 == 0:
                    traffic.collect()
            time.sleep(1 / rate)

    def moved(self):
        return [self.guest.statistics(), self.wire.statistics()]

    def end(self):
        """Ends emu when nothing moves any more."""
        before = None
        for _ in range(50):
            self.there.collect()
            self.back.collect()
            after = self.moved()
            if after == before:
                break
            before = after
            time.sleep(0.2)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.status = self.process.wait()
            yield "emu did not end within 20 s"
            return
        self.answer.seek(0)
        try:
            self.report = json.load(self.answer)
        except ValueError:
            yield f"no report, status {self.status}: {self.said()}"
            return
        if self.status not in (0, 1):
            yield f"status {self.status}: {self.said()}"
        yield from self.account()

    def sides(self, direction, side):
        return [account[side] for account in self.report["accounts"] if account["direction"] == direction and account.get(side)]

    def sum(self, direction, side, *names):
        return sum(account.get(name, 0) for account in self.sides(direction, side) for name in names)

    def account(self):
        """What does not add up."""
        self.numbers = []
        for name, side, traffic, end, into, out in (
            ("guest", self.guest, self.back, "driver", "transmit", "receive"),
            ("wire", self.wire, self.there, "device", "receive", "transmit")):
            traffic.collect()
            kernel = side.statistics()
            entered, left = self.sum(into, end, "entered"), self.sum(out, end, "left")
            refused = self.sum(out, end, "refused", "noBuffer")
            unseen = kernel["rx_packets"] - sum(traffic.seen.values())
            self.numbers.append(f"{name}: kernel sent {kernel['tx_packets']}, entered {entered}; left {left}, kernel took"
                                f" {kernel['rx_packets']}, {unseen} of them unseen; refused {refused}, kernel dropped {kernel['rx_dropped']}")
            if name in self.gone:
                # Its last numbers are from before the end.
                if entered < kernel["tx_packets"] or left < kernel["rx_packets"]:
                    yield f"{name}: less than the kernel had counted before the interface went"
                continue
            if entered != kernel["tx_packets"]:
                yield f"{name}: the kernel handed over {kernel['tx_packets']}, {entered} entered"
            if left != kernel["rx_packets"]:
                yield f"{name}: {left} left, the kernel took {kernel['rx_packets']}"
            # The kernel counts a write to an interface that is down on some versions as dropped, on others not at all. One
            # to an interface that has just come up it takes, and drops while the socket's hook is not back in its place:
            # that stands in both of its counters, and the socket has not seen it.
            if kernel["rx_dropped"] + kernel["rx_errors"] > refused + (unseen if side.came_up else 0):
                yield f"{name}: the kernel dropped {kernel['rx_dropped']}, emu names {refused}"
        for account in self.report["accounts"]:
            for side in ("driver", "device"):
                numbers = account.get(side)
                if numbers and numbers.get("missing", 0) != 0:
                    yield f"queue {account['queue']}, {side}: {numbers['missing']} frames missing in its own account"
            if account.get("missingInRing", 0) != 0:
                yield f"queue {account['queue']}: {account['missingInRing']} frames missing in the ring"
        for name, traffic in (("there", self.there), ("back", self.back)):
            if traffic.altered or traffic.duplicated:
                yield f"{name}: {traffic.altered} altered, {traffic.duplicated} duplicated"
        yield from self.end_to_end()

    def end_to_end(self):
        """What came in at one TAP came out at the other or stands in a named counter."""
        names = ("noBuffer", "refused", "tooLong", "malformed", "filtered", "abandoned", "pending")
        for way, direction, first, last in (("there", "transmit", "driver", "device"), ("back", "receive", "device", "driver")):
            entered, left = self.sum(direction, first, "entered"), self.sum(direction, last, "left")
            named = self.sum(direction, first, *names) + self.sum(direction, last, *names)
            self.numbers.append(f"{way}: {entered} in, {left} out, {named} named")
            # A frame in a ring that starts over stands on both sides of it.
            both = self.sum(direction, "driver", "abandoned") + self.sum(direction, "device", "abandoned")
            if not entered - named <= left <= entered - named + both:
                yield f"{way}: {entered} entered, {left} left, {named} in named counters"

    def close(self):
        with contextlib.suppress(AttributeError):
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        self.guest.remove()
        self.wire.remove()


def all_arrive(case):
    """Nothing was in the way: every frame that either side takes whole arrives."""
    if case.status != 0:
        yield f"status {case.status}: {case.said()}"
    for name, traffic in (("there", case.there), ("back", case.back)):
        missing = traffic.missing(9014)
        named = case.sum("transmit" if name == "there" else "receive", "driver", "tooLong", "noBuffer") + \
            case.sum("transmit" if name == "there" else "receive", "device", "tooLong", "noBuffer")
        if len(missing) > named:
            yield f"{name}: {len(missing)} frames did not arrive, sizes {sorted({traffic.sizes[number] for number in missing})}, {named} named"


def plain(case):
    case.start()
    case.exchange(800)
    yield from case.end()
    yield from all_arrive(case)


def down_and_up(case, side):
    case.start()
    case.exchange(300)
    getattr(case, side).set("down")
    case.exchange(300)
    getattr(case, side).set("up")
    case.exchange(300)
    yield from case.end()
    if side == "wire" and case.sum("transmit", "device", "refused", "noBuffer") == 0:
        yield "frames into an interface that is down, and none is named as refused"


def deleted(case, side):
    case.start()
    case.exchange(300)
    getattr(case, side).statistics()
    case.gone.add(side)
    getattr(case, side).socket.close()
    ip("-n", getattr(case, side).name, "link", "del", getattr(case, side).tap)
    case.exchange(300)
    yield from case.end()


def namespace_deleted(case, side):
    case.start()
    case.exchange(300)
    getattr(case, side).statistics()
    case.gone.add(side)
    getattr(case, side).socket.close()
    ip("netns", "del", getattr(case, side).name)
    case.exchange(300)
    yield from case.end()


def flapping(case, side):
    case.start()
    over = threading.Event()

    def flap():
        while not over.is_set():
            getattr(case, side).set("down")
            time.sleep(0.02)
            getattr(case, side).set("up")
            time.sleep(0.03)

    thread = threading.Thread(target=flap)
    thread.start()
    case.exchange(2000)
    over.set()
    thread.join()
    case.exchange(100)
    yield from case.end()


def restarts(case):
    case.start()
    case.exchange(6000, rate=8000)
    yield from case.end()
    if case.report["cycles"] < 3:
        yield f"only {case.report['cycles']} cycles"


def recoveries(case):
    yield from restarts(case)
    if case.report["ringRecoveries"] != case.report["cycles"]:
        yield f"{case.report['ringRecoveries']} of {case.report['cycles']} stops went on from the used index"
    abandoned = sum(case.sum(direction, "driver", "abandoned") for direction in ("transmit", "receive"))
    if abandoned:
        yield f"{abandoned} frames abandoned in rings that went on"


CASES = [
    *((f"MTU {a} and {b}", plain, (), (a, b), ("--interval", "200ms")) for a in (1500, 9000) for b in (1500, 9000)),
    *((f"{side} down and up", down_and_up, (side,), (1500, 1500), ("--interval", "200ms")) for side in ("guest", "wire")),
    *((f"{side} deleted", deleted, (side,), (1500, 1500), ("--interval", "200ms")) for side in ("guest", "wire")),
    *((f"{side}'s namespace deleted", namespace_deleted, (side,), (1500, 1500), ("--interval", "200ms")) for side in ("guest", "wire")),
    *((f"{side} flapping", flapping, (side,), (1500, 9000), ("--interval", "50ms")) for side in ("guest", "wire")),
    *((f"rings start over, {key.split(',')[0]}", restarts, (), (9000, 9000), ("--interval", "50ms", "--device", f"sim,{key}"))
      for key in ("fault=suspend", "parent=vp-vdpa,memlock=unlimited,entries=65536", "fault=dies")),
    *((f"rings go on, {key}", recoveries, (), (9000, 9000), ("--interval", "50ms", "--lost-rings", "recover", "--device", f"sim,{key}"))
      for key in ("fault=suspend", "parent=vduse")),
]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    emu, folder = sys.argv[1:3]
    wanted = sys.argv[3] if len(sys.argv) == 4 else ""
    failed = 0
    for name, action, arguments, mtus, options in CASES:
        if wanted not in name:
            continue
        case = Case(emu, folder, name, mtus, options)
        case.numbers = []
        try:
            problems = list(action(case, *arguments))
        except (RuntimeError, LookupError, OSError, subprocess.CalledProcessError) as error:
            problems = [f"{type(error).__name__}: {error}"]
        finally:
            case.close()
        failed += bool(problems)
        print("\t".join((name, "FAIL" if problems else "pass", "; ".join(problems or case.numbers))), flush=True)
    print(f"all cases\t{'FAIL' if failed else 'pass'}\t{failed} failed", flush=True)
    sys.exit(1 if failed else 0)


main()
