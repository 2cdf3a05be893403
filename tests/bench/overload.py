#!/usr/bin/env python3
"""Eight times the capacity of one worker behind one socket, for ten seconds, for each proxy in turn.

What counts is what comes out of the overload: as many good answers as the worker can give, quick refusals for the rest,
flat memory, and a quick answer as soon as the load has ended.
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


def start_proxy(bench, name):
    if name == "grayd":
        limits = f'max_sockets = 1\nqueue = {QUEUE}\nqueue_timeout = "{QUEUE_TIMEOUT}"'
        return bench.grayd([harness.program(harness.BUILD / "bench/light_backend"), *BACKEND], limits)
    _, port = bench.backend(*BACKEND)
    if name == "node":
        return bench.node_master(port)
    return bench.haproxy(port, f"maxconn 1 maxqueue {QUEUE}", QUEUE_TIMEOUT)


def capacity():
    """Good answers per second of the worker alone, from one client that never pauses."""
    with harness.Bench() as bench:
        _, port = bench.backend(*BACKEND)
        return harness.loadgen(port, "--connections", 1, "--seconds", 4)["rps"]


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


def run():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proxy", action="append", choices=SETUPS, help="only this one; repeatable")
    names = parser.parse_args().proxy or list(SETUPS)
    if "node" in names:
        harness.require("node")
    if "haproxy" in names:
        harness.require("haproxy")

    per_second = capacity()
    print(f"worker: one slot of {DELAY_MS} ms, {per_second:.1f} answers/s alone; offered: {RATE}/s for {SECONDS} s, "
          f"each on a new connection, clients give up after {PATIENCE} s")
    results = []
    for name in names:
        print(f"{name}: {SETUPS[name]}", flush=True)
        results.append(measure(name))
        add_goodput(results[-1], per_second)
    harness.table([row(result) for result in results])
    harness.save("overload", {"capacity_per_second": per_second, "proxies": results})
    return all([harness.check(targets(result)) for result in results if result["name"] == "grayd"])


if __name__ == "__main__":
    sys.exit(harness.main(run))
