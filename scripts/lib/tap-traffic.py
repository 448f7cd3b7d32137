"""Traffic for scripts/test-namespaces: a file over TCP with its digest, and numbered UDP.

    tap-traffic.py file-receive ADDRESS PORT                     prints the SHA-256 of what came
    tap-traffic.py file-send    ADDRESS PORT BYTES               prints the SHA-256 of what went
    tap-traffic.py udp-receive  ADDRESS PORT READY               prints JSON when SIGTERM says it is over
    tap-traffic.py udp-send     ADDRESS PORT COUNT RATE SIZE     prints how many went
    tap-traffic.py udp-flood    ADDRESS PORT SECONDS SIZE        as many as the machine can; prints how many went
"""

import hashlib
import json
import os
import signal
import socket
import struct
import sys
import time

SO_RCVBUFFORCE = 33


def payload(number, size):
    """A datagram that says its number and whose every byte follows from it."""
    digest = hashlib.blake2b(struct.pack("<Q", number), digest_size=32).digest()
    head = struct.pack("<Q", number)
    return (head + digest * (size // 32 + 1))[:size]


def file_receive(address, port):
    with socket.create_server((address, port)) as server:
        connection, _ = server.accept()
        digest = hashlib.sha256()
        with connection:
            while block := connection.recv(1 << 16):
                digest.update(block)
    print(digest.hexdigest())


def file_send(address, port, size):
    digest = hashlib.sha256()
    with socket.create_connection((address, port)) as connection:
        while size > 0:
            block = os.urandom(min(size, 1 << 18))
            digest.update(block)
            connection.sendall(block)
            size -= len(block)
    print(digest.hexdigest())


def udp_errors():
    """The namespace's UDP counters. A socket's own drop counter would count wrong checksums as a full buffer."""
    names, values = [line.split()[1:] for line in open("/proc/net/snmp") if line.startswith("Udp:")]
    return dict(zip(names, map(int, values)))


def udp_receive(address, port, ready):
    over = []
    signal.signal(signal.SIGTERM, lambda *_: over.append(True))
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    receiver.bind((address, port))
    receiver.settimeout(0.2)
    before = udp_errors()
    open(ready, "w").close()
    seen = set()
    count = {"received": 0, "duplicated": 0, "altered": 0, "reordered": 0, "socketDrops": 0}
    highest = -1
    while True:
        try:
            data = receiver.recv(65536)
        except TimeoutError:
            if over:
                break
            continue
        number = struct.unpack_from("<Q", data)[0] if len(data) >= 8 else -1
        if number < 0 or data != payload(number, len(data)):
            count["altered"] += 1
        elif number in seen:
            count["duplicated"] += 1
        else:
            seen.add(number)
            count["received"] += 1
            count["reordered"] += number < highest
            highest = max(highest, number)
    after = udp_errors()
    count["socketDrops"] = sum(after[name] - before[name] for name in ("RcvbufErrors", "MemErrors"))
    count["altered"] += after["InCsumErrors"] - before["InCsumErrors"]
    print(json.dumps(count))


def udp_send(address, port, total, rate, size):
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.connect((address, port))
    begin = time.monotonic()
    for number in range(total):
        # Bursts of a few milliseconds at most: late ones are not made up for all at once.
        behind = begin + number / rate - time.monotonic()
        if behind > 0:
            time.sleep(behind)
        elif behind < -0.005:
            begin -= behind + 0.005
        sender.send(payload(number, size))
    print(total)


def udp_flood(address, port, seconds, size):
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    data = bytes(size)
    total = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for _ in range(100):
            sender.sendto(data, (address, port))
        total += 100
    print(total)


def main():
    command, *rest = sys.argv[1:]
    address, port, *rest = rest
    port = int(port)
    if command == "file-receive":
        file_receive(address, port)
    elif command == "file-send":
        file_send(address, port, int(rest[0]))
    elif command == "udp-receive":
        udp_receive(address, port, rest[0])
    elif command == "udp-send":
        udp_send(address, port, *map(int, rest))
    elif command == "udp-flood":
        udp_flood(address, port, *map(int, rest))
    else:
        sys.exit(__doc__)


main()
