#!/usr/bin/env python3
"""The cost of one proxied request: instructions, system calls, CPU time. grayd, nginx, HAProxy, a Node proxy
and a relay without HTTP as the floor, each with one thread; answers of 1 KB; 1, 16 and 64 kept connections; at 64 again
with the 9 headers of a browser, and with grayd's access log. With --targeting, also grayd with 500 rules and with an
allowlist of 1,000,000 users.

Instructions decide: they do not depend on what else the machine does. They come from the processor's counters where
perf may read them, else from an emulated machine (machine.py).
"""
import argparse
import datetime
import sys

import figures
import harness
import machine
import native
import peers

ROUNDS, SECONDS = 5, 0.6
CONNECTIONS = [1, 16, 64]
# Requests of the shorter load in the emulated machine, and before it. Node has its own: one of its requests is worth
# twenty of the others, and it is slow until its compiler has seen a few thousand.
REQUESTS, WARM = 1000, 500
NODE_REQUESTS, NODE_WARM = 200, 6000


def variants(names, targeting=False):
    """(label, proxy, access log on, rules or allowlist) of each row."""
    rows = [(name, name, False, None) for name in names]
    if "grayd" in names:
        rows.insert(1, (figures.LOGGED, "grayd", True, None))
        if targeting:
            rows[2:2] = [(f"grayd, {kind}", "grayd", False, kind) for kind in peers.TARGETING]
    return rows


def cells_of(label, connections, quick=False):
    """The cells of a variant. With the log on, 64 connections are enough."""
    requests = NODE_REQUESTS if label == "node" else REQUESTS
    if quick:
        requests //= 2
    if label.removeprefix("grayd, ") in peers.TARGETING:
        connections = [64]
    plain = [machine.Cell(str(count), count, WARM, requests) for count in connections]
    browser = [machine.Cell(figures.BROWSER, 64, WARM, requests, peers.BROWSER_HEADERS)] if 64 in connections else []
    return [cell for cell in plain if cell.connections == 64] if label == figures.LOGGED else plain + browser


def emulated_cells(label, connections, quick):
    """Node's cells of few connections are left to the clocks: in the emulated machine each takes minutes."""
    cells = cells_of(label, connections, quick)
    if label != "node":
        return cells
    cells = [cell for cell in cells if cell.connections == 64]
    for cell in cells[:1]:
        cell.warm = NODE_WARM
    return cells


def emulate(rows, connections, quick):
    """{label: {cell: figures}} from one emulated machine for each row."""
    jobs = [machine.Job(label, name, log, emulated_cells(label, connections, quick), targeting)
            for label, name, log, targeting in rows]
    results = machine.run_all([job for job in jobs if job.cells])
    for label, result in results.items():
        executed, charged = result["loop"]
        print(f"{label}: calibration: a loop of {executed} instructions was charged {charged} "
              f"(+{100 * (charged / executed - 1):.2f} %)")
    return {label: result["cells"] for label, result in results.items()}


def run_here(rows, connections, rounds):
    """{label: {cell: figures}} measured on this machine, rounds interleaved so that its noise affects all alike."""
    samples = {}
    native.take_priority()
    with harness.Bench() as bench:
        runners = {label: native.Runner(bench, name, log, targeting=targeting) for label, name, log, targeting in rows}
        for turn in range(rounds + 1):  # the first warms up
            for label, runner in runners.items():
                for cell in cells_of(label, connections):
                    sample = runner.sample(cell.connections, SECONDS if turn else SECONDS / 2, cell.headers)
                    if turn:
                        samples.setdefault(label, {}).setdefault(cell.name, []).append(sample)
    return {label: {cell: figures.middles(taken) for cell, taken in cells.items()} for label, cells in samples.items()}


def merge(emulated, here):
    """One dictionary of figures for each row and cell, whichever way they were found."""
    merged = {}
    for label in emulated | here:
        for cell in emulated.get(label, {}) | here.get(label, {}):
            counted, timed = emulated.get(label, {}).get(cell, {}), here.get(label, {}).get(cell, {})
            merged.setdefault(label, {})[cell] = figures.combine(counted, timed)
    return merged


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", action="append", choices=peers.NAMES, help="only this one; repeatable")
    parser.add_argument("--connections", action="append", type=int, choices=CONNECTIONS,
                        help="only so many; repeatable")
    parser.add_argument("--quick", action="store_true",
                        help="instructions at 64 connections alone, from shorter loads; under a minute for one proxy")
    parser.add_argument("--targeting", action="store_true", help="grayd also with 500 rules, and with 1,000,000 users")
    parser.add_argument("--emulate", action="store_true", help="use the emulated machine even if perf can count")
    chosen = parser.parse_args()
    chosen.proxy = [name for name in peers.NAMES if name in (chosen.proxy or peers.NAMES)]
    chosen.connections = sorted(set(chosen.connections or ([64] if chosen.quick else CONNECTIONS)))
    return chosen


def run():
    chosen = options()
    rows = variants(chosen.proxy, chosen.targeting)
    counters = native.has_counters() and not chosen.emulate
    if not counters and machine.missing():
        raise harness.Failure(f"perf cannot count instructions here, and to emulate a machine that counts them "
                              f"{machine.missing()} is missing; scripts/bench installs it")
    print(f"{datetime.date.today()}, {native.machine_name()}")
    for name in chosen.proxy:
        print(f"{name}: {peers.ABOUT[name]}")
    print("instructions: " + ("the processor's counters" if counters else
                              f"emulated machine, {machine.kernel().name.removeprefix('vmlinuz-')}"), flush=True)
    emulated = {} if counters else emulate(rows, chosen.connections, chosen.quick)
    here = run_here(rows, chosen.connections, ROUNDS) if counters or not chosen.quick else {}
    found = merge(emulated, here)
    harness.table(figures.rows(found))
    harness.save("proxy", {"date": str(datetime.date.today()), "machine": native.machine_name(),
                           "counted_by": "perf" if counters else "emulation", "proxies": found})
    return harness.check(figures.targets(found))


if __name__ == "__main__":
    sys.exit(harness.main(run))
