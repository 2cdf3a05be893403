#!/usr/bin/env python3
"""More load than a worker can take: how many good answers come of it, how quick are the refusals, and the recovery.

The story first: eight times the capacity of one worker behind one socket, for ten seconds, for each proxy in turn. What
counts is as many good answers as the worker can give, quick refusals for the rest, flat memory, and a quick answer as
soon as the load has ended. Then the cells: workers of 20 ms and of 1 s behind eight sockets, with 0.9 to 8 times their
capacity, grayd and HAProxy.
"""
import argparse
import sys

import harness

DELAY_MS, RATE, SECONDS, PATIENCE = 20, 400, 10, 2
QUEUE, QUEUE_TIMEOUT = 50, "1s"
BACKEND = ["--delay-ms", str(DELAY_MS), "--slots", "1"]
SETUPS = {
    "grayd": f"max_sockets 1, queue {QUEUE}, queue_timeout {QUEUE_TIMEOUT}, 1 thread",
    "node": "http.Agent keepAlive, maxSockets 1; its queue has no limit",
    "haproxy": f"tuned: maxconn 1, maxqueue {QUEUE}, timeout queue {QUEUE_TIMEOUT}, http-reuse always, nbthread 1",
}

CELL_SOCKETS, CELL_QUEUE = 8, 256
CELL_LOADS = [0.9, 1.2, 2, 8]
CELLS = [(20, 10), (1_000, 30)]  # ms of the worker, seconds of load
CELL_PROXIES = ["grayd", "haproxy"]
CELL_PATIENCE = 5


def start_proxy(bench, name):
    if name == "grayd":
        limits = f'max_sockets = 1\nqueue = {QUEUE}\nqueue_timeout = "{QUEUE_TIMEOUT}"'
        return bench.grayd([harness.program(harness.BUILD / "bench/light_backend"), *BACKEND], limits)
    _, port = bench.backend(*BACKEND)
    if name == "node":
        return bench.node_master(port)
    return bench.haproxy(port, f"maxconn 1 maxqueue {QUEUE}", QUEUE_TIMEOUT)


def refusals_p99(load):
    """p99 in ms of the refusals made at entry: those grayd names so, or every 503 of a proxy that gives no reason."""
    names = [name for name in ("queue-full", "overloaded") if name in load["reason"]] or ["503"]
    return max((load["latency_ms"][name]["p99"] for name in names if name in load["latency_ms"]), default=None)


def measure(name):
    with harness.Bench() as bench:
        proxy = start_proxy(bench, name)
        memory = harness.Memory(proxy)
        memory.start()
        load = harness.loadgen(proxy.port, "--rate", RATE, "--seconds", SECONDS, "--timeout", PATIENCE, "--after-probe")
        memory.finish()
        return {"name": name, "setup": SETUPS[name], "load": load, "memory_before": memory.before(),
                "memory_growth": memory.growth(), "refusals_p99_ms": refusals_p99(load)}


def add_goodput(result, per_second):
    result["good"] = result["load"]["status"].get("200", 0)
    result["goodput_percent"] = 100 * result["good"] / (per_second * SECONDS)
    # A queue left at the end still earns good answers; over the time until the last has ended, 100 % is all there is.
    result["sustained_percent"] = 100 * result["good"] / (per_second * result["load"]["seconds"])


def row(result):
    load = result["load"]
    recovered = load["after_probe"]["recovered_s"]
    p99 = result["refusals_p99_ms"]
    return {"proxy": result["name"], "good": result["good"],
            "of capacity": f"{result['goodput_percent']:.1f} %",
            "to the last answer": f"{result['sustained_percent']:.1f} %",
            "503": load["status"].get("503", 0), "timeouts": load["timeouts"],
            "other": load["connect_errors"] + load["broken"],
            "refusal p99": None if p99 is None else f"{p99:.1f} ms",
            "memory": f"{result['memory_before'] / harness.MEBIBYTE:.1f} MB",
            "growth": f"+{result['memory_growth'] / harness.MEBIBYTE:.1f} MB",
            "first quick answer": "never" if recovered is None else f"{recovered:.2f} s"}


def targets(result):
    p99, recovered = result["refusals_p99_ms"], result["load"]["after_probe"]["recovered_s"]
    growth, goodput = result["memory_growth"] / harness.MEBIBYTE, result["goodput_percent"]
    return [
        ("good answers, at least 98 % of capacity", f"{goodput:.1f} %", goodput >= 98),
        ("refusals at entry, p99 below 20 ms", f"{p99} ms", p99 is not None and p99 < 20),
        ("memory growth below 5 MB", f"{growth:.1f} MB", growth < 5),
        ("first quick answer within 0.2 s", f"{recovered} s", recovered is not None and recovered < 0.2),
    ]


def start_cell(bench, name, delay_ms):
    backend = ["--delay-ms", str(delay_ms), "--slots", str(CELL_SOCKETS)]
    if name == "grayd":
        limits = f'max_sockets = {CELL_SOCKETS}\nqueue = {CELL_QUEUE}\nqueue_timeout = "{QUEUE_TIMEOUT}"'
        return bench.grayd([harness.program(harness.BUILD / "bench/light_backend"), *backend], limits)
    _, port = bench.backend(*backend)
    return bench.haproxy(port, f"maxconn {CELL_SOCKETS} maxqueue {CELL_QUEUE}", QUEUE_TIMEOUT)


def measure_cell(name, delay_ms, seconds, load, possible):
    """One proxy under `load` times the capacity of its worker, which is `possible`."""
    with harness.Bench() as bench:
        proxy = start_cell(bench, name, delay_ms)
        found = harness.loadgen(proxy.port, "--rate", possible * load, "--seconds", seconds, "--timeout", CELL_PATIENCE,
                                "--after-probe", "--quick", delay_ms / 1_000 + 0.2)
    recovered = found["after_probe"]["recovered_s"]
    return {"name": name, "worker_ms": delay_ms, "load": load,
            "good_percent": 100 * found["status"].get("200", 0) / (possible * min(1, load) * seconds),
            "refused": found["status"].get("503", 0), "lost": found["timeouts"] + found["broken"],
            "p50_ms": found["latency_ms"]["200"]["p50"], "p99_ms": found["latency_ms"]["200"]["p99"],
            "refusals_p99_ms": found["latency_ms"].get("503", {}).get("p99"),
            "recovered_s": None if recovered is None else max(0, recovered - delay_ms / 1_000)}


def cell_row(cell):
    recovered = cell["recovered_s"]
    return {"worker": f"{cell['worker_ms']} ms", "load": f"{cell['load']} x", "proxy": cell["name"],
            "good, of what can be": f"{cell['good_percent']:.1f} %", "503": cell["refused"], "lost": cell["lost"],
            "p50": f"{cell['p50_ms']:.0f} ms", "p99": f"{cell['p99_ms']:.0f} ms",
            "refusal p99": None if cell["refusals_p99_ms"] is None else f"{cell['refusals_p99_ms']:.1f} ms",
            "quick again after": "never" if recovered is None else f"{recovered:.2f} s"}


def cell_targets(cell):
    where = f"worker of {cell['worker_ms']} ms, {cell['load']} x"
    good, recovered = cell["good_percent"], cell["recovered_s"]
    return [(f"{where}: good answers, at least 98 % of what can be", f"{good:.1f} %", good >= 98),
            (f"{where}: quick again within 0.2 s", f"{recovered} s", recovered is not None and recovered < 0.2)]


def run_cells(names, quick):
    found = []
    for delay_ms, seconds in CELLS:
        possible = harness.worker_capacity(delay_ms, CELL_SOCKETS)
        print(f"worker of {delay_ms} ms: {possible:.1f} answers a second", flush=True)
        for load in CELL_LOADS:
            for name in names:
                found.append(measure_cell(name, delay_ms, min(seconds, 10) if quick else seconds, load, possible))
                print(f"worker of {delay_ms} ms, {load} x: {name}", flush=True)
    harness.table([cell_row(cell) for cell in found])
    return found


def run():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proxy", action="append", choices=SETUPS, help="only this one; repeatable")
    parser.add_argument("--only", choices=["story", "cells"], help="a part of it")
    parser.add_argument("--quick", action="store_true", help="10 s for each cell with a worker of 1 s, instead of 30")
    chosen = parser.parse_args()
    names = chosen.proxy or list(SETUPS)
    if "node" in names:
        harness.require("node")
    if "haproxy" in names:
        harness.require("haproxy")

    result, met = {}, []
    if chosen.only != "cells":
        result, met = run_story(names)
    if chosen.only != "story":
        result["cells"] = run_cells([name for name in CELL_PROXIES if name in names], chosen.quick)
        met += [harness.check(cell_targets(cell)) for cell in result["cells"] if cell["name"] == "grayd"]
    harness.save("overload", result)
    return all(met)


def run_story(names):
    per_second = harness.worker_capacity(DELAY_MS, 1)
    print(f"worker: one slot of {DELAY_MS} ms, {per_second:.1f} answers/s alone; offered: {RATE}/s for {SECONDS} s, "
          f"each on a new connection, clients give up after {PATIENCE} s")
    results = []
    for name in names:
        print(f"{name}: {SETUPS[name]}", flush=True)
        results.append(measure(name))
        add_goodput(results[-1], per_second)
    harness.table([row(result) for result in results])
    return ({"capacity_per_second": per_second, "proxies": results},
            [harness.check(targets(result)) for result in results if result["name"] == "grayd"])


if __name__ == "__main__":
    sys.exit(harness.main(run))
