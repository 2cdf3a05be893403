#!/usr/bin/env python3
"""One version that stands still, and one whose clients are slow: does the memory of grayd stay flat, is anything lost,
and do requests of the other version notice?

uploads: the worker of v2 is stopped (SIGSTOP) and gets 200 uploads of 100 KB; after 8 s it goes on. answers: 512
clients with a small receive buffer ask v2 for 100 KB each and read 20 KB per second. Meanwhile half of the load that v1
can serve is offered to it. Memory is the proportional set size of grayd's processes, without workers.
"""
import argparse
import datetime
import os
import selectors
import signal
import sys
import threading
import time

import harness
import native

UPLOADS, CLIENTS, SIZE = 200, 512, 100_000
STALL = 8  # seconds
PIECE, PACE = 5_000, 0.25  # bytes that a slow client reads at once, and seconds until it reads again
SMALL = 4096  # SO_RCVBUF of a slow client
FULL = 3  # seconds until all that can be kept is kept
FLAT = 1 << 20  # bytes by which the memory may still grow then
BESIDE = ("--keepalive", 32, "--timeout", 5)
UPLOAD = f"POST /?version=v2 HTTP/1.1\r\nHost: bench\r\nContent-Length: {SIZE}\r\n\r\n".encode() + b"x" * SIZE
ASK = f"GET /bytes/{SIZE}?version=v2 HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n".encode()


class Clients(threading.Thread):
    """Clients that send `request` and read `piece` bytes each `pace` seconds, until their answer is complete."""

    def __init__(self, port, count, request, pace, buffer=None):
        super().__init__(daemon=True)
        self.pace, self.selector, self.stopped = pace, selectors.DefaultSelector(), False
        self.sizes, self.good = {}, 0
        for number in range(count):
            client = harness.connect(port, number, buffer)
            client.setblocking(False)
            self.sizes[client] = [memoryview(request), b""]
        self.count = count

    def step(self, client):
        """Sends and reads what is possible; False: it has ended."""
        state = self.sizes[client]
        try:
            if state[0]:
                state[0] = state[0][client.send(state[0]):]
        except BlockingIOError:
            pass
        except OSError:
            return False
        try:
            piece = client.recv(PIECE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        state[1] += piece
        return piece != b"" and not self.complete(state[1])

    @staticmethod
    def complete(answer):
        """Whether all of a 200 has come."""
        head, found, body = answer.partition(b"\r\n\r\n")
        if not found or not head.startswith(b"HTTP/1.1 200"):
            return False
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return len(body) == int(lengths[0].split(b":")[1])

    def run(self):
        while self.sizes and not self.stopped:
            began = time.monotonic()
            for client in [client for client in self.sizes if not self.step(client)]:
                self.good += self.complete(self.sizes.pop(client)[1])
                client.close()
            time.sleep(max(0, self.pace - (time.monotonic() - began)))


def answered(proxy, rate):
    """Answers per second of v1, of so many offered, and their p99."""
    result = proxy.load("--rate", rate, "--seconds", STALL - FULL, *BESIDE)
    return result["status"].get("200", 0) / (STALL - FULL), result["latency_ms"]["all"]["p99"]


def beside(proxy, rate, clients):
    """What v1 and the memory do while `clients` are served by v2."""
    base = harness.pss(proxy.ids)
    clients.start()
    time.sleep(FULL)
    full = harness.pss(proxy.ids)
    rps, p99 = answered(proxy, rate)
    return {"held": full - base, "grown": harness.pss(proxy.ids) - full, "rps": rps, "p99_ms": p99}


def run():
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    os.sched_setaffinity(0, {native.LOAD_CPU})
    native.take_priority()
    print(f"{datetime.date.today()}, {native.machine_name()}", flush=True)
    with harness.Bench() as bench:
        version = f"""
[service.web.version.v2]
command = ["taskset", "-c", "{native.LOAD_CPU}", "{harness.program(harness.BUILD / 'bench/light_backend')}"]
ready = "pipe"
"""
        proxy = native.Runner(bench, "grayd", sockets=600, service='param = "version"', more=version)
        status = harness.status(proxy.ctl)
        [v2] = [version for version in status["services"][0]["versions"] if version["name"] == "v2"]
        worker = v2["workers"][0]["pid"]
        rate = round(proxy.sample(32, 2)["rps"] / 2)
        quiet, quiet_p99 = answered(proxy, rate)
        os.kill(worker, signal.SIGSTOP)
        uploads = Clients(proxy.port, UPLOADS, UPLOAD, 0.05)
        try:
            found = {"200 uploads to a stopped worker": beside(proxy, rate, uploads)}
        finally:
            os.kill(worker, signal.SIGCONT)
        uploads.join(30)
        answers = Clients(proxy.port, CLIENTS, ASK, PACE, SMALL)
        found["512 slow readers of 100 KB"] = beside(proxy, rate, answers)
        answers.join(60)
    for one, clients in zip(found.values(), (uploads, answers)):
        one |= {"complete": clients.good, "of": clients.count}
    harness.table([{"load": name, "complete": f"{one['complete']} of {one['of']}", "KiB held": one["held"] >> 10,
                    f"KiB more {STALL - FULL} s later": one["grown"] >> 10,
                    "v1 answered/s": f"{one['rps']:,.0f}", "p99": f"{one['p99_ms']:.2f} ms",
                    "without": f"{quiet:,.0f}", "p99 without": f"{quiet_p99:.2f} ms"} for name, one in found.items()])
    harness.save("slow-upstream", {"date": str(datetime.date.today()), "machine": native.machine_name(),
                                   "quiet_rps": quiet, "quiet_p99_ms": quiet_p99, **found})
    checks = []
    for name, one in found.items():
        checks += [(f"{name}: all complete", one["complete"], one["complete"] == one["of"]),
                   (f"{name}: memory flat, at most 1 MiB more", f"{one['grown'] / 1024:.0f} KiB", one["grown"] <= FLAT),
                   (f"{name}: v1 answers at least 95 %", f"{one['rps'] / quiet:.1%}", one["rps"] >= 0.95 * quiet)]
    return harness.check(checks)


if __name__ == "__main__":
    sys.exit(harness.main(run))
