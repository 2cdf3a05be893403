#!/usr/bin/env python3
"""Clients that ask for 10 MB and never read: what each costs, what the others notice, and what is left afterwards.
grayd beside HAProxy and nginx without buffers. Each proxy is measured twice: with clients whose receive buffer is small
(4 KiB, as those of a slow network are in effect), and with clients that have the usual one.

Memory is the proportional set size of the proxy's processes, without workers. What the kernel holds is reported beside
it: bytes that wait in the sockets of the proxy, to the clients and from the worker.
"""
import argparse
import contextlib
import datetime
import os
import pathlib
import stat
import statistics
import sys
import time

import harness
import native
import peers

NAMES = ["grayd", "nginx", "haproxy"]
WINDOWS = {"4 KiB": 4096, "usual": None}  # SO_RCVBUF of the clients
REQUEST = b"GET /bytes/10000000 HTTP/1.1\r\nHost: bench\r\n\r\n"
SETTLE = 3  # seconds until all that is read ahead has been read
LEAVE = 10  # seconds after which the memory must be given back
RATE = ("--rate", 200, "--keepalive", 8, "--seconds", 5)  # of the other client
MOST = 14_000  # bytes of grayd's memory for each


def stuck(port, number, window):
    client = harness.connect(port, number, window)
    client.sendall(REQUEST)
    return client


def kernel_bytes(port, pids):
    """What waits in the sockets of a proxy: (sent to clients, received from the worker)."""
    inodes = set()
    for pid in pids:
        for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                inodes.add(os.readlink(fd))
    sent = received = 0
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if f"socket:[{fields[9]}]" not in inodes:
            continue
        out, into = (int(part, 16) for part in fields[4].split(":"))
        if fields[3] == "0A":  # listens: its queue is no bytes
            continue
        if int(fields[1].split(":")[1], 16) == port:
            sent += out
        else:
            received += into
    return sent, received


def on_disk(pids):
    """Bytes of the regular files that processes have open."""
    total = 0
    for pid in pids:
        for fd in pathlib.Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                info = os.stat(fd)
                if stat.S_ISREG(info.st_mode) and not os.readlink(fd).startswith("/memfd:"):
                    total += info.st_blocks * 512
    return total


def p99_of(proxy):
    """The median of three runs: at this rate ten slow requests decide, and a machine may stand still for a moment."""
    found = []
    for _ in range(3):
        result = proxy.load(*RATE)
        if result["status"].get("200", 0) != result["offered"]:
            raise harness.Failure(f"{proxy.name}: the other client was not answered: {result['status']}")
        found.append(result["latency_ms"]["all"]["p99"])
    return statistics.median(found)


def measure(bench, name, window, clients):
    own = {"sockets": clients + 100} if name == "grayd" else {}
    proxy = native.Runner(bench, name, **own)
    proxy.load("--connections", 64, "--requests", 2_000)
    proxy.load("--connections", 16, "--requests", 64, "--path", "/bytes/10000000")
    time.sleep(SETTLE)
    base, disk, quiet = harness.pss(proxy.ids), on_disk(proxy.ids), p99_of(proxy)
    held = [stuck(proxy.port, number, window) for number in range(clients)]
    time.sleep(SETTLE)
    memory, (sent, received) = harness.pss(proxy.ids), kernel_bytes(proxy.port, proxy.ids)
    written = on_disk(proxy.ids) - disk
    beside = p99_of(proxy)
    for client in held:
        client.close()
    time.sleep(LEAVE)
    return {"base": base, "each": (memory - base) / clients, "to_clients": sent / clients,
            "from_worker": received / clients, "disk": written, "quiet_p99_ms": quiet, "p99_ms": beside,
            "left": harness.pss(proxy.ids) / base - 1}


def targets(found):
    for window, one in found.get("grayd", {}).items():
        yield f"{window}: at most {MOST:,} B each", f"{one['each']:,.0f} B", one["each"] <= MOST
        yield f"{window}: {LEAVE} s after they left, at most 10 % above base", f"{one['left']:+.1%}", one["left"] <= 0.1
        yield f"{window}: nothing on disk", f"{one['disk']} B", one["disk"] == 0
        most, p99 = max(2 * one["quiet_p99_ms"], 5), one["p99_ms"]
        yield f"{window}: p99 of another client, at most {most:.1f} ms", f"{p99:.2f} ms", p99 <= most


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", action="append", choices=NAMES, help="only this one; repeatable")
    parser.add_argument("--clients", type=int, default=1_000)
    chosen = parser.parse_args()
    hard = harness.allow_descriptors()
    if 2 * chosen.clients + 300 > hard:
        raise harness.Failure(f"{chosen.clients} clients need more than the {hard} descriptors that are allowed")
    print(f"{datetime.date.today()}, {native.machine_name()}; {chosen.clients} clients that never read", flush=True)
    native.take_priority()
    found = {}
    for name in chosen.proxy or NAMES:
        for label, window in WINDOWS.items():
            with harness.Bench() as bench:
                found.setdefault(name, {})[label] = measure(bench, name, window, chosen.clients)
    harness.table([{"proxy": name, "their buffer": label, "base KiB": f"{one['base'] / 1024:.0f}",
                    "B each": f"{one['each']:,.0f}", "kernel: to client": f"{one['to_clients']:,.0f}",
                    "from worker": f"{one['from_worker']:,.0f}", "disk": one["disk"],
                    "p99 before": f"{one['quiet_p99_ms']:.2f} ms", "p99 beside": f"{one['p99_ms']:.2f} ms",
                    f"{LEAVE} s after": f"{one['left']:+.1%}"}
                   for name, windows in found.items() for label, one in windows.items()])
    harness.save("slow-readers", {"date": str(datetime.date.today()), "machine": native.machine_name(), **found})
    return harness.check(list(targets(found)))


if __name__ == "__main__":
    sys.exit(harness.main(run))
