"""Alternating pairs of emu and its baseline, for scripts/bench loopback.

    loopback.py EMU KIND BASELINE PAIRS SECONDS SIZES WANTS_JSON

KIND is what BASELINE is: C, the C program, or emu, an earlier one.
"""

import json
import os
import statistics
import subprocess
import sys
import time

AIM = {64: 3e6}


def busy_seconds():
    """CPU time that anything on this machine has used, all cores, what a hypervisor took away included."""
    fields = list(map(int, open("/proc/stat").readline().split()[1:9]))
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def run(who, command, seconds):
    """One run: its rate, its CPU time per packet in ns, and how many cores others kept busy meanwhile."""
    busy, used, begin = busy_seconds(), os.times(), time.monotonic()
    try:
        process = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 30)
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.exit(f"bench loopback: {who}: {error}")
    passed, now = time.monotonic() - begin, os.times()
    own = now.children_user + now.children_system - used.children_user - used.children_system
    try:
        answer = json.loads(process.stdout)
        packets = answer["packets"]
        wrong = [name for name in ("lost", "duplicated", "corrupted") if packets[name] != 0]
    except (ValueError, KeyError):
        wrong = ["no result"]
    if process.returncode != 0 or wrong or packets["received"] == 0:
        sys.stderr.write(process.stderr[-2000:] + process.stdout[-2000:])
        print(f"bench loopback: {who} is not sound: {', '.join(wrong)}; status {process.returncode}", file=sys.stderr)
        sys.exit(1)
    return {
        "rate": answer["throughput"],
        "cpu": own * 1e9 / packets["received"],
        "others": max(0.0, (busy_seconds() - busy - own) / passed),
    }


def main():
    emu, kind, baseline, pairs, seconds, sizes, wants_json = sys.argv[1:]
    pairs, seconds = int(pairs), int(seconds)
    out = sys.stderr if wants_json == "1" else sys.stdout

    def say(text=""):
        print(text, file=out, flush=True)

    base = "C" if kind == "C" else "base"

    def run_of(program, size):
        return [
            program, "run", "--guest", "generator", "--wire", "loopback", "--memory", "256M", "--interval", "3600s",
            "--duration", f"{seconds}s", "--frame-size", str(size), "--json",
        ]  # fmt: skip

    def commands(size):
        plain = [baseline, "--frame-size", str(size), "--seconds", str(seconds)]
        return {base: plain if kind == "C" else run_of(baseline, size), "emu": run_of(emu, size)}

    say(f"loopback, received M packets/s each way, {seconds} s a run; load {os.getloadavg()[0]:.1f} at the start")
    say(f"  size  pair {base:>8}      emu   ratio     others' cores ({base}, emu)")
    result = {"pairs": pairs, "seconds": seconds, "cores": os.cpu_count(), "sizes": {}}
    for size in map(int, sizes.split(",")):
        runs = {base: [], "emu": []}
        for pair in range(pairs):
            # Who goes first alternates too, so that neither has the warmer machine.
            for who in (base, "emu") if pair % 2 == 0 else ("emu", base):
                runs[who].append(run(who, commands(size)[who], seconds))
            c, e = runs[base][-1], runs["emu"][-1]
            say(
                f"{size:6} {pair + 1:5} {c['rate'] / 1e6:8.2f} {e['rate'] / 1e6:8.2f} {e['rate'] / c['rate']:9.2f}"
                f"   {c['others']:.2f}, {e['others']:.2f}"
            )

        def median(who, field):
            return statistics.median(row[field] for row in runs[who])

        def ratio(field):
            # The median of the pairs' ratios: a pair shares the machine's state, two medians need not.
            return round(statistics.median(e[field] / c[field] for e, c in zip(runs["emu"], runs[base])), 3)

        result["sizes"][str(size)] = {
            "emu": median("emu", "rate"), base.lower(): median(base, "rate"), "ratio": ratio("rate"),
            "emuCPU": round(median("emu", "cpu"), 1), f"{base.lower()}CPU": round(median(base, "cpu"), 1), "ratioCPU": ratio("cpu"),
            "othersCores": round(statistics.median(r["others"] for r in runs["emu"] + runs[base]), 2),
        }  # fmt: skip
    say(f"\nmedians, and the median of the pairs' ratios emu / {base}")
    say(f"  size {base + ', M/s':>9} {'emu, M/s':>10}   ratio {base + ', CPU ns/packet':>19} {'emu, CPU ns/packet':>20}   ratio")
    for size, row in result["sizes"].items():
        aim = AIM.get(int(size))
        say(
            f"{size:>6} {row[base.lower()] / 1e6:9.2f} {row['emu'] / 1e6:10.2f} {row['ratio']:7.2f} {row[f'{base.lower()}CPU']:19.1f} "
            f"{row['emuCPU']:20.1f} {row['ratioCPU']:7.2f}" + (f"   (aim: {aim / 1e6:.0f} M/s)" if aim else "")
        )
    say(f"load {os.getloadavg()[0]:.1f} at the end")
    if wants_json == "1":
        print(json.dumps(result))


main()
