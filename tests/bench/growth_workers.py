"""Rows of scripts/bench growth about what runs beside requests: workers that start, rest or wait, and their memory."""
import os
import pathlib
import re
import socket
import statistics
import subprocess
import time

import harness
import native
from growth_setup import Grayd, figure_of, haproxy, light_backend, point, service, version

HOUR = 3_600
MOST = 256  # instances that a version may have


def instances(count, more=""):
    """Workers of v1, and those beyond MOST of further versions."""
    parts = [min(MOST, count - first) for first in range(0, count, MOST)]
    return service(versions="".join(version(f"v{i + 1}", light_backend(), f"instances = {part}\n{more}")
                                    for i, part in enumerate(parts)))


def at_rest(proxy, ids, seconds):
    """CPU time that these processes take in a second while nothing is asked."""
    time.sleep(2)
    before = native.cpu_seconds(ids)
    time.sleep(seconds)
    return (native.cpu_seconds(ids) - before) / seconds


# ---- G4, G5 and G7

COUNTS = [64, 256, 512]


def starts(chosen):
    """Workers that start: the CPU time of the master, and the time until all are healthy."""
    points = []
    for count in COUNTS:
        with harness.Bench() as bench:
            grayd = Grayd(bench, instances(count), workers=count)
            points.append(point("G4", f"{count} workers, master", "grayd", grayd.start_cpu, "CPU s"))
            points.append(point("G4", f"{count} workers, all healthy", "grayd", grayd.start_seconds, "s"))
    few, many = (figure_of(points, "grayd", f"{count} workers, master") for count in (COUNTS[0], COUNTS[-1]))
    healthy = figure_of(points, "grayd", f"{COUNTS[-1]} workers, all healthy")
    return points, [(f"G4: {COUNTS[-1]} workers against {COUNTS[0]}, at most 10 times the CPU", f"{many / few:.1f}",
                     many <= 10 * few),
                    (f"G4: {COUNTS[-1]} workers healthy within 2 s", f"{healthy:.2f}", healthy <= 2)]


def rests(chosen):
    """Workers at rest, checked each second: CPU time of all processes but the workers."""
    seconds, points = 10 if chosen.quick else 30, []
    for count in COUNTS:
        with harness.Bench() as bench:
            if "grayd" in chosen.proxy:
                grayd = Grayd(bench, instances(count), workers=count)
                points.append(point("G5", f"{count} workers", "grayd", HOUR * at_rest(grayd, grayd.ids, seconds),
                                    "CPU s an hour"))
        with harness.Bench() as bench:
            if "haproxy" in chosen.proxy:
                _, port = bench.backend()
                peer = haproxy(bench, [port] * count, server="check inter 1s", clients=1_000)
                points.append(point("G5", f"{count} workers", "haproxy", HOUR * at_rest(peer, peer.ids, seconds),
                                    "CPU s an hour"))
    mine = figure_of(points, "grayd", "256 workers")
    return points, [] if mine is None else [("G5: 256 workers at rest, at most 100 CPU s an hour", f"{mine:.0f}",
                                             mine <= 100)]


def memory_limits(chosen):
    """The master with `memory` set against one without. With cgroup v2 the kernel tells, and no process is read."""
    seconds, points = 10 if chosen.quick else 30, []
    for count in COUNTS[:2] if chosen.quick else COUNTS:
        for more, what in (("", "no limit"), ('memory = "1GiB"', "memory set")):
            with harness.Bench() as bench:
                grayd = Grayd(bench, instances(count, more), workers=count)
                points.append(point("G7", f"{count} workers, {what}", "grayd",
                                    1e3 * at_rest(grayd, [grayd.master], seconds), "ms of CPU a second"))
    without, limited = (figure_of(points, "grayd", f"256 workers, {what}") for what in ("no limit", "memory set"))
    return points, [("G7: 256 workers with memory set, at most 1.1 of without", f"{limited / without:.2f}",
                     limited <= 1.1 * without)]


# ---- G6

def versions_of(count, command, more=""):
    return "".join(version(f"v{i + 1}", command, more) for i in range(count))


def resident(pid):
    """kB of a process that are resident, shared pages included."""
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def version_memory(chosen):
    """The master after each version has had requests, and status and metrics were read."""
    counts, points = [1, 16, 64], []
    for count in counts:
        with harness.Bench() as bench:
            grayd = Grayd(bench, service(versions=versions_of(count, light_backend())), "threads = 2", workers=count)
            for i in range(count):
                harness.loadgen(grayd.port, "--connections", 4, "--requests", 40, "--path", f"/?version=v{i + 1}")
            for _ in range(3):
                for verb in ("status", "metrics"):
                    subprocess.run([*grayd.ctl, verb], check=True, capture_output=True, timeout=20)
                time.sleep(2)
            points.append(point("G6", f"{count} versions", "grayd", resident(grayd.master), "kB"))
    few, many = (figure_of(points, "grayd", f"{count} versions") for count in (counts[0], counts[-1]))
    each = (many - few) / (counts[-1] - counts[0])
    return points, [("G6: memory of the master, at most 50 kB a version", f"{each:.0f}", each <= 50)]


# ---- G8

# Takes one connection, the health check, and no other: the backlog holds one more.
STUCK = """
import os, socket, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(os.environ["GRAY_SOCKET"])
listener.listen(0)
os.write(int(os.environ["GRAY_READY_FD"]), b"READY=1\\n")
held = listener.accept()
time.sleep(3600)
"""


def ask(port):
    client = socket.create_connection(("127.0.0.1", port), 20)
    client.sendall(b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n")
    return client


def waiting_cost(proxy, wanted, before):
    """What a request costs that waits for a second alone and is refused: ms of CPU in that second, of all processes.
    `before`: how many requests take what it waits for."""
    time.sleep(5)  # until the start is over
    held = [ask(proxy.port) for _ in range(before)]
    costs = []
    for _ in range(wanted):
        time.sleep(1)
        started = proxy.cpu()
        client = ask(proxy.port)
        status = client.recv(12)
        costs.append(1e3 * (proxy.cpu() - started))
        if not status.startswith(b"HTTP/1.1 50"):
            raise harness.Failure(f"{proxy.name} answered {status!r} to a request that has no socket")
        client.close()
    for client in held:
        client.close()
    return statistics.median(costs)


def waiters(chosen):
    wanted, points = 3 if chosen.quick else 7, []
    slow = light_backend("--delay-ms", 600_000)
    limits = 'queue_timeout = "1s"\nrequest_timeout = "600s"\nconnect_timeout = "1s"\nmax_sockets = '
    unchecked = 'health = { interval = "600s", rise = 1 }\n'  # the checks are G5
    if "grayd" in chosen.proxy:
        for count in (1, 16, 64):
            with harness.Bench() as bench:
                grayd = Grayd(bench, service(limits=f"{limits}1", versions=versions_of(count, slow, unchecked)),
                              workers=count)
                points.append(point("G8", f"for a socket, {count} versions", "grayd", waiting_cost(grayd, wanted, 1),
                                    "ms of CPU"))
        with harness.Bench() as bench:
            stuck = version("v1", ["python3", "-c", STUCK], f'listen = "unix"\n{unchecked}')
            grayd = Grayd(bench, service(limits=f"{limits}64", versions=stuck))
            points.append(point("G8", "for room in a backlog", "grayd", waiting_cost(grayd, wanted, 3), "ms of CPU"))
    if "haproxy" in chosen.proxy:
        with harness.Bench() as bench:
            _, port = bench.backend("--delay-ms", "600000")
            peer = haproxy(bench, [port], server="maxconn 1")
            points.append(point("G8", "for a socket, 1 versions", "haproxy", waiting_cost(peer, wanted, 1),
                                "ms of CPU"))
    worst = max((one["figure"] for one in points if one["proxy"] == "grayd" and "socket" in one["what"]), default=None)
    return points, [] if worst is None else [("G8: a request that waits alone for a socket, at most 1 ms of CPU",
                                              f"{worst:.2f}", worst <= 1)]


# ---- G11

SLEEP = 1.5  # seconds that a program needs


def slow_starts(chosen):
    """Programs that only wait while they start: all are healthy soon after the first could be."""
    command, points = ["sh", "-c", f"sleep {SLEEP}; exec {' '.join(light_backend())}"], []
    for count in (8, 16, 32):
        with harness.Bench() as bench:
            grayd = Grayd(bench, service(versions=version("v1", command, f"instances = {count}\n")), workers=count)
            points.append(point("G11", f"{count} programs of {SLEEP} s", "grayd", grayd.start_seconds, "s"))
    last = points[-1]["figure"]
    return points, [("G11: 32 programs, at most 4 s", f"{last:.1f}", last <= 4)]


ROWS = {"G4": starts, "G5": rests, "G6": version_memory, "G7": memory_limits, "G8": waiters, "G11": slow_starts}
