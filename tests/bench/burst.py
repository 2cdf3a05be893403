#!/usr/bin/env python3
"""Abnormally large requests, then usual ones: 100 uploads of 16 MB, 8 at a time, then 1 KB answers. How much memory the
uploads need, and whether it is given back within 10 s. grayd beside HAProxy and nginx without buffers.

Memory is the proportional set size of the proxy's processes, without workers.
"""
import argparse
import concurrent.futures
import datetime
import socket
import sys
import time

import harness
import native

NAMES = ["grayd", "nginx", "haproxy"]
UPLOADS, SIZE, AT_ONCE = 100, 16_000_000, 8
HEAD = f"POST / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\nContent-Length: {SIZE}\r\n\r\n".encode()
SETTLE, LEAVE = 2, 10  # seconds


def upload(port):
    with socket.create_connection(("127.0.0.1", port), 30) as client:
        client.sendall(HEAD)
        client.sendall(b"x" * SIZE)
        answer = b""
        while piece := client.recv(65_536):
            answer += piece
    return answer.startswith(b"HTTP/1.1 200")


class Watch(harness.Memory):
    """The memory of a runner while it works."""

    def __init__(self, runner):
        super().__init__(harness.Proxy(runner.name, runner.port, lambda: runner.ids))


def measure(bench, name):
    proxy = native.Runner(bench, name)
    proxy.load("--connections", 64, "--requests", 2_000)
    time.sleep(SETTLE)
    base, watch = harness.pss(proxy.ids), Watch(proxy)
    watch.start()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        good = sum(pool.map(upload, [proxy.port] * UPLOADS))
    peak = watch.finish().growth()
    proxy.load("--rate", 200, "--keepalive", 16, "--seconds", LEAVE)
    return {"base": base, "good": good, "peak": peak, "left": harness.pss(proxy.ids) / base - 1}


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", action="append", choices=NAMES, help="only this one; repeatable")
    chosen = parser.parse_args()
    print(f"{datetime.date.today()}, {native.machine_name()}; {UPLOADS} uploads of {SIZE // 1_000_000} MB", flush=True)
    found = {}
    for name in chosen.proxy or NAMES:
        with harness.Bench() as bench:
            found[name] = measure(bench, name)
    harness.table([{"proxy": name, "base KiB": f"{one['base'] / 1024:.0f}", "answered": one["good"],
                    "KiB at the peak": f"{one['peak'] / 1024:.0f}", f"after {LEAVE} s": f"{one['left']:+.1%}"}
                   for name, one in found.items()])
    harness.save("burst", {"date": str(datetime.date.today()), "machine": native.machine_name(), **found})
    own = found.get("grayd")
    return not own or harness.check([
        ("all uploads answered", own["good"], own["good"] == UPLOADS),
        (f"at the peak, at most {AT_ONCE} x 256 KiB", f"{own['peak'] / 1024:.0f} KiB",
         own["peak"] <= AT_ONCE * (256 << 10)),
        (f"{LEAVE} s later, at most 10 % above base", f"{own['left']:+.1%}", own["left"] <= 0.1)])


if __name__ == "__main__":
    sys.exit(harness.main(run))
