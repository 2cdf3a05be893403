#!/usr/bin/env python3
"""Many connections of which 1 % are active: p99 and CPU time per request against the same load on 400 connections.
grayd beside nginx and HAProxy. As many connections as the limit on descriptors allows, 40,000 at most; HAProxy wants
two descriptors for each.
"""
import argparse
import datetime
import statistics
import sys
import time

import harness
import native
import peers

NAMES = ["grayd", "nginx", "haproxy"]
FEW, MOST = 400, 40_000
OWN = 500  # descriptors of a proxy that are no connections of clients, at most
RATE, ROUNDS, SECONDS = 4_000, 5, 2
REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"


def idle(port, number):
    """A connection that has had one answer."""
    client = harness.connect(port, number)
    client.sendall(REQUEST)
    answer = b""
    while len(answer) < peers.BODY:
        answer += client.recv(65_536)
    return client


def rounds(proxy, active):
    """p99 in ms and CPU time of a request in microseconds, of each round of one load."""
    taken = []
    for _ in range(ROUNDS):
        before = native.cpu_seconds(proxy.ids)
        load = proxy.load("--rate", RATE, "--keepalive", active, "--seconds", SECONDS, "--timeout", 5)
        good = load["status"].get("200", 0)
        if good != load["offered"]:
            raise harness.Failure(f"{proxy.name} answered {good} of {load['offered']} requests: {load['status']}")
        taken.append((load["latency_ms"]["all"]["p99"], 1e6 * (native.cpu_seconds(proxy.ids) - before) / good))
    return [statistics.median(column) for column in zip(*taken)]


def setup_of(name, connections):
    return {"grayd": {"router": f"max_connections = {connections + OWN // 2}"},
            "nginx": {"clients": connections + OWN // 2}, "haproxy": {}}[name]


def measure(bench, name, connections):
    proxy = native.Runner(bench, name, **setup_of(name, connections))
    active = connections // 100
    proxy.load("--connections", active, "--requests", 5_000)
    found, held = {}, []
    for count in (FEW, connections):
        while len(held) < count - active:
            held.append(idle(proxy.port, len(held)))
        time.sleep(1)
        p99, cpu = rounds(proxy, active)
        found[count] = {"p99_ms": p99, "cpu_us": cpu}
    for client in held:
        client.close()
    return found


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", action="append", choices=NAMES, help="only this one; repeatable")
    chosen = parser.parse_args()
    hard = harness.allow_descriptors()
    most = min(MOST, hard - 2 * OWN)
    print(f"{datetime.date.today()}, {native.machine_name()}; {hard} descriptors, so {most} connections; "
          f"{RATE} requests/s over 1 % of them, median of {ROUNDS} rounds", flush=True)
    native.take_priority()
    found = {}
    for name in chosen.proxy or NAMES:
        with harness.Bench() as bench:
            found[name] = measure(bench, name, min(most, peers.CLIENTS - OWN) if name == "haproxy" else most)
    harness.table([{"proxy": name, "connections": count, "p99": f"{one['p99_ms']:.2f} ms",
                    "CPU us": f"{one['cpu_us']:.1f}"}
                   for name, counts in found.items() for count, one in counts.items()])
    harness.save("many", {"date": str(datetime.date.today()), "machine": native.machine_name(), **found})
    if "grayd" not in found:
        return True
    few, many = (found["grayd"][count] for count in (FEW, most))
    return harness.check([(f"p99, of that with {FEW} connections, at most 1.5", f"{many['p99_ms'] / few['p99_ms']:.2f}",
                           many["p99_ms"] <= 1.5 * few["p99_ms"]),
                          ("CPU per request, likewise at most 1.1", f"{many['cpu_us'] / few['cpu_us']:.2f}",
                           many["cpu_us"] <= 1.1 * few["cpu_us"])])


if __name__ == "__main__":
    sys.exit(harness.main(run))
