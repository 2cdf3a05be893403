#!/usr/bin/env python3
"""The cost of large answers: CPU time per request of 100 KB and 4 MB, 8 connections. grayd, HAProxy, nginx without
buffers (as in the other benchmarks), with its default ones and with buffers of 64 KiB, and a relay that reads up to 256
KiB at once and parses nothing. Each has one thread; rounds are interleaved; the median counts.
"""
import argparse
import datetime
import statistics
import sys

import harness
import native
import peers

CONNECTIONS = 8
SIZES = {"100 KB": 100_000, "4 MB": 4_000_000}
RELAY = "relay 256 KiB"
ROWS = {"grayd": ("grayd", {}), "haproxy": ("haproxy", {}), "nginx": ("nginx", {}),
        "nginx, default buffers": ("nginx", {"buffering": peers.NGINX_DEFAULT}),
        "nginx, 64 KiB buffers": ("nginx", {"buffering": peers.NGINX_LARGE}),
        RELAY: ("relay", {"buffer": 262_144})}
MOST = {"haproxy": 0.65, "nginx, default buffers": 0.4, "nginx, 64 KiB buffers": 0.8, RELAY: 1.2}


def measure(chosen):
    """{row: {size: [CPU time of a request in microseconds]}}"""
    found = {}
    native.take_priority()
    with harness.Bench() as bench:
        runners = {row: native.Runner(bench, name, **own) for row, (name, own) in ROWS.items()}
        for turn in range(chosen.rounds + 1):  # the first warms up
            for size, count in SIZES.items():
                for row, runner in runners.items():
                    sample = runner.sample(CONNECTIONS, chosen.seconds, path=f"/bytes/{count}")
                    if turn:
                        found.setdefault(row, {}).setdefault(size, []).append(sample["cpu_us"])
    return found


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.8, help="of each run")
    chosen = parser.parse_args()
    print(f"{datetime.date.today()}, {native.machine_name()}; {CONNECTIONS} connections, median of {chosen.rounds} "
          f"rounds", flush=True)
    found = measure(chosen)
    middle = {row: {size: statistics.median(taken) for size, taken in sizes.items()} for row, sizes in found.items()}
    harness.table([{"proxy": row, **{f"CPU us, {size}": f"{value:.1f}" for size, value in sizes.items()},
                    **{f"grayd, of it, {size}": f"{middle['grayd'][size] / value:.2f}"
                       for size, value in sizes.items()}}
                   for row, sizes in middle.items()])
    harness.save("large", {"date": str(datetime.date.today()), "machine": native.machine_name(), "cpu_us": found})
    return harness.check([(f"{size}: CPU of grayd, of {row}'s, at most {most}",
                           f"{middle['grayd'][size] / middle[row][size]:.2f}",
                           middle["grayd"][size] <= most * middle[row][size])
                          for row, most in MOST.items() for size in SIZES])


if __name__ == "__main__":
    sys.exit(harness.main(run))
