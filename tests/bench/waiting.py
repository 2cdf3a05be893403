#!/usr/bin/env python3
"""Requests that wait for one of eight sockets: how long, in which order, and who is refused. grayd beside HAProxy.

A closed loop of 100, 1,000 and 9,000 clients at a worker that answers at once, with room for all of them in the queue
and with the default queue; and an open loop at 0.9, 1.02 and 1.1 times the capacity of a worker of 20 ms, as measured
with 8 clients. HAProxy has the same limits: maxconn 8, maxqueue 10000 or 256 (beyond it requests wait for any server),
timeout queue 1s.
"""
import argparse
import resource
import sys

import harness

SOCKETS, QUEUE_TIMEOUT = 8, "1s"
CLIENTS = [100, 1_000, 9_000]
ALL, DEFAULT = 10_000, None  # places in the queue
LOADS = [0.9, 1.02, 1.1]
DELAY_MS = 20
NAMES = ["grayd", "haproxy"]
RATIO, REFUSAL_MS = 1.3, 50
SHEDS_MS = 500  # half of QUEUE_TIMEOUT: grayd sheds if a request would wait for longer
# Of HAProxy's good answers where requests are refused: refusals take CPU time of the same core.
GOOD, GOOD_CLOSED = 0.98, 0.9


def start(bench, name, queue, delay_ms):
    backend = ["--delay-ms", str(delay_ms), "--slots", str(SOCKETS)]
    if name == "grayd":
        limits = f'max_sockets = {SOCKETS}\nqueue_timeout = "{QUEUE_TIMEOUT}"'
        if queue is not None:
            limits += f"\nqueue = {queue}"
        return bench.grayd([harness.program(harness.BUILD / "bench/light_backend"), *backend], limits,
                           "max_connections_per_client = 9900")
    _, port = bench.backend(*backend)
    return bench.haproxy(port, f"maxconn {SOCKETS} maxqueue {queue or 256}", QUEUE_TIMEOUT, clients=9_900)


def measure(name, queue, seconds, clients=0, load=0.0, most=0.0):
    with harness.Bench() as bench:
        proxy = start(bench, name, queue, 0 if clients else DELAY_MS)
        options = ["--connections", clients] if clients else ["--rate", round(most * load, 1)]
        found = harness.loadgen(proxy.port, *options, "--seconds", seconds)
    good, refused = found["latency_ms"].get("200"), found["latency_ms"].get("503")
    if good is None:
        raise harness.Failure(f"{name} gave no good answer to {clients} clients")
    return {"name": name, "queue": queue, "clients": clients, "load": load,
            "good_per_second": good["count"] / found["seconds"], "p50_ms": good["p50"], "p99_ms": good["p99"],
            "refused": found["status"].get("503", 0), "reasons": found["reason"],
            "lost": found["timeouts"] + found["broken"] + found["connect_errors"],
            "refusals_p99_ms": None if refused is None else refused["p99"]}


def title(cell):
    offered = f"{cell['clients']:,} clients" if cell["clients"] else f"{cell['load']} x capacity"
    return f"{offered}, {'default queue' if cell['queue'] is None else 'queue ' + format(cell['queue'], ',')}"


def row(cell):
    refusal = cell["refusals_p99_ms"]
    return {"load": title(cell), "proxy": cell["name"], "good/s": f"{cell['good_per_second']:,.0f}",
            "p50": f"{cell['p50_ms']:.1f} ms", "p99": f"{cell['p99_ms']:.1f} ms", "503": f"{cell['refused']:,}",
            "lost": cell["lost"], "refusal p99": None if refusal is None else f"{refusal:.1f} ms"}


def all_fit(cell, theirs):
    """Whether HAProxy refuses nobody, so that the waits can be compared."""
    return cell["load"] <= 1.02 and (theirs is None or theirs["refused"] == 0)


def refuses_none(cell, theirs):
    """Whether grayd must not refuse anybody: the waits are short enough that it does not shed."""
    return all_fit(cell, theirs) and (cell["clients"] == 0 or (theirs or cell)["p50_ms"] < SHEDS_MS)


def targets(mine, theirs):
    where = title(mine)
    met = [(f"{where}: nobody is lost", f"{mine['lost']}", mine["lost"] == 0)]
    fits = all_fit(mine, theirs)
    if refuses_none(mine, theirs):
        met.append((f"{where}: nobody is refused", f"{mine['refused']}", mine["refused"] == 0))
    if fits and theirs is not None:
        ratio = mine["p99_ms"] / theirs["p99_ms"]
        met.append((f"{where}: p99 at most {RATIO} of HAProxy's", f"{ratio:.2f}", ratio <= RATIO))
    if not fits and theirs is not None:
        ratio = mine["good_per_second"] / theirs["good_per_second"]
        least = GOOD_CLOSED if mine["clients"] else GOOD
        met.append((f"{where}: good answers at least {least} of HAProxy's", f"{ratio:.2f}", ratio >= least))
    # In a closed loop refused clients ask again at once, so a refusal waits for those of all others.
    if mine["refused"] > 0 and mine["load"] > 0:
        p99 = mine["refusals_p99_ms"]
        met.append((f"{where}: refusals, p99 below {REFUSAL_MS} ms", f"{p99:.1f} ms", p99 < REFUSAL_MS))
    return met


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", action="append", choices=NAMES, help="only this one; repeatable")
    parser.add_argument("--quick", action="store_true", help="2 s for each closed loop instead of 6")
    chosen = parser.parse_args()
    names = chosen.proxy or NAMES
    if "haproxy" in names:
        harness.path_of("haproxy")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    cells = [{"queue": queue, "clients": clients, "seconds": 2 if chosen.quick else 6}
             for queue in (ALL, DEFAULT) for clients in CLIENTS]
    most = harness.worker_capacity(DELAY_MS, SOCKETS)
    print(f"a worker of {DELAY_MS} ms with {SOCKETS} sockets answers {most:.0f} a second", flush=True)
    cells += [{"queue": DEFAULT, "load": load, "seconds": 10, "most": most} for load in LOADS]
    found, met = [], []
    for cell in cells:
        pair = {name: measure(name, **cell) for name in names}
        print(", ".join([title(next(iter(pair.values()))), *pair]), flush=True)
        found += pair.values()
        if "grayd" in pair:
            met += targets(pair["grayd"], pair.get("haproxy"))
    harness.table([row(cell) for cell in found])
    harness.save("queue", {"cells": found})
    return harness.check(met)


if __name__ == "__main__":
    sys.exit(harness.main(run))
