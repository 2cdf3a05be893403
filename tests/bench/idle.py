#!/usr/bin/env python3
"""The memory of idle clients: silent connections, and connections that wait for the next request. grayd beside peers.

Memory is the proportional set size of the proxy's processes, without workers. The clients come from several addresses,
because a client may have 1,000 connections to grayd by default.
"""
import argparse
import datetime
import sys
import time

import harness
import native
import peers

NAMES = ["grayd", "nginx", "haproxy"]
REQUEST = b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
SETTLE = 2  # seconds until what is freed later is freed
LEAVE = 10  # seconds after which the memory of clients that have left must be given back
TARGET = 480  # bytes of grayd for each


def ask(client):
    client.sendall(REQUEST)
    answer, wanted = b"", None
    while wanted is None or len(answer) < wanted:
        piece = client.recv(65_536)
        if not piece:
            raise harness.Failure("a proxy closed an idle connection")
        answer += piece
        if wanted is None and b"\r\n\r\n" in answer:
            wanted = answer.index(b"\r\n\r\n") + 4 + peers.BODY


def measure(bench, name, clients):
    proxy = native.Runner(bench, name)
    proxy.load("--connections", 64, "--requests", 2_000)
    time.sleep(SETTLE)
    base = harness.pss(proxy.ids)
    idle = [harness.connect(proxy.port, number) for number in range(clients)]
    time.sleep(SETTLE)
    silent = harness.pss(proxy.ids)
    for client in idle:
        client.close()  # a silent client is cut soon: grayd waits 10 s for the first head
    idle = []
    for number in range(clients):
        idle.append(harness.connect(proxy.port, number))
        ask(idle[-1])
    time.sleep(SETTLE)
    waiting = harness.pss(proxy.ids)
    for client in idle:
        client.close()
    time.sleep(LEAVE)
    left = harness.pss(proxy.ids)
    return {"base": base, "silent": (silent - base) / clients, "waiting": (waiting - base) / clients,
            "left": left - base}


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", action="append", choices=NAMES, help="only this one; repeatable")
    parser.add_argument("--clients", type=int, default=9_000)
    chosen = parser.parse_args()
    hard = harness.allow_descriptors()
    if chosen.clients + 200 > min(hard, peers.CLIENTS):
        raise harness.Failure(f"{chosen.clients} clients need more than the {hard} descriptors that are allowed, or "
                              f"than the {peers.CLIENTS} connections that the proxies are set up for")
    print(f"{datetime.date.today()}, {native.machine_name()}; {chosen.clients} clients", flush=True)
    found = {}
    for name in chosen.proxy or NAMES:
        with harness.Bench() as bench:
            found[name] = measure(bench, name, chosen.clients)
    harness.table([{"proxy": name, "base KiB": f"{one['base'] / 1024:.0f}",
                    "B per silent client": f"{one['silent']:.0f}",
                    "B after a request": f"{one['waiting']:.0f}",
                    f"KiB above base {LEAVE} s after they left": f"{one['left'] / 1024:.0f}"}
                   for name, one in found.items()])
    harness.save("idle", {"date": str(datetime.date.today()), "machine": native.machine_name(), **found})
    if "grayd" not in found:
        return True
    most = max(found["grayd"]["silent"], found["grayd"]["waiting"])
    return harness.check([(f"grayd: <= {TARGET} B for an idle client", f"{most:.0f} B", most <= TARGET)])


if __name__ == "__main__":
    sys.exit(harness.main(run))
