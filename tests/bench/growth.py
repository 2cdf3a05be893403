#!/usr/bin/env python3
"""What grows with threads, hosts, networks, workers, versions, small chunks, long fields and waiting requests, and how.

Each row has several points, and a target: `--only G1,G2` runs some rows, `--quick` measures shorter. grayd beside nginx
and HAProxy where they can do the same. The rows are in growth_requests.py and growth_workers.py.

G1 sockets that are scarce x threads   G2 hosts and paths   G3 networks   G4 workers that start   G5 workers at rest
G6 memory of the master x versions     G7 memory limits without cgroup v2  G8 a request that waits alone
G9 small chunks   G10 long fields   G11 programs that start slowly   G12 connections with default limits
"""
import argparse
import datetime
import re
import sys

import growth_requests
import growth_workers
import harness
import native

NAMES = ["grayd", "nginx", "haproxy"]
ROWS = growth_requests.ROWS | growth_workers.ROWS
ORDER = sorted(ROWS, key=lambda row: int(row[1:]))
GRAYD_ONLY = {"G4", "G6", "G7", "G11"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", action="append", choices=NAMES, help="only this one; repeatable")
    parser.add_argument("--only", default=",".join(ORDER), help="rows, separated by commas")
    parser.add_argument("--quick", action="store_true", help="one short round for each point")
    chosen = parser.parse_args()
    chosen.proxy = chosen.proxy or NAMES
    chosen.only = chosen.only.split(",")
    unknown = sorted(set(chosen.only) - set(ROWS))
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; rows are {', '.join(ORDER)}")
    return chosen


def series(one):
    """What its figure is compared with: points of the same proxy whose names differ in numbers only."""
    return one["proxy"], re.sub(r"[\d,.]+", "", one["what"])


def growth(points, one):
    """A figure as a multiple of the first one of its series."""
    first = next(other for other in points if series(other) == series(one))
    return f"{one['figure'] / first['figure']:.2f}" if first["figure"] > 0 else None


def cells(points):
    return [{"row": one["row"], "point": one["what"], "proxy": one["proxy"], "figure": f"{one['figure']:.2f}",
             "unit": one["unit"], "x the first": growth(points, one), "answer": one.get("answer")} for one in points]


def run():
    chosen = arguments()
    for name in set(chosen.proxy) - {"grayd"}:
        harness.path_of(name)
    print(f"{datetime.date.today()}, {native.machine_name()}", flush=True)
    native.take_priority()
    found, met = {}, []
    for row in [row for row in ORDER if row in chosen.only]:
        if row in GRAYD_ONLY and "grayd" not in chosen.proxy:
            continue
        found[row], targets = ROWS[row](chosen)
        met += targets
        harness.table(cells(found[row]))
    harness.save("growth", {"date": str(datetime.date.today()), "machine": native.machine_name(),
                            "points": [one for points in found.values() for one in points],
                            "targets": [{"text": text, "value": value, "met": good} for text, value, good in met]})
    return harness.check(met)


if __name__ == "__main__":
    sys.exit(harness.main(run))
