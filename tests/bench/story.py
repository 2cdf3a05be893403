#!/usr/bin/env python3
"""The story this project begins with: 400 clients that never pause (autocannon -c 400), a worker that takes one second,
one socket between them; there over 100 s, here over 30 s.

The worker can give one answer a second. What counts is that it does, that memory stays flat, and that a request sent
right after the load has ended is answered in about the second that it takes.
"""
import argparse
import http.client
import json
import subprocess
import sys
import time

import harness

CLIENTS, SECONDS, DELAY_MS = 400, 30, 1000
LONGEST_WAIT = 90
BACKEND = ["--delay-ms", str(DELAY_MS)]
AUTOCANNON = harness.RESULTS / "npm/node_modules/.bin/autocannon"
# A wait of 3 s is longer than one answer takes and shorter than the patience of a client.
LIMITS = 'max_sockets = 1\nqueue = 50\nqueue_timeout = "3s"'
PROXIES = ("grayd", "node")


def start_proxy(bench, name):
    if name == "grayd":
        return bench.grayd([harness.program(harness.BUILD / "bench/light_backend"), *BACKEND], LIMITS)
    _, port = bench.backend(*BACKEND)
    return bench.node_master(port)


def autocannon(port):
    command = [harness.program(AUTOCANNON), "-c", str(CLIENTS), "-d", str(SECONDS), "--json", "--no-progress",
               f"http://127.0.0.1:{port}/"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 30)
    if answer.returncode != 0:
        raise harness.Failure(f"autocannon: {answer.stderr.strip()}")
    return json.loads(answer.stdout)


def one_request(port):
    """Seconds until a 200, trying again after every other answer; nothing if none came in LONGEST_WAIT."""
    start = time.monotonic()
    while (left := start + LONGEST_WAIT - time.monotonic()) > 0:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=left)
        try:
            connection.request("GET", "/")
            if connection.getresponse().status == 200:
                return time.monotonic() - start
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    return None


def measure(name):
    with harness.Bench() as bench:
        proxy = start_proxy(bench, name)
        memory = harness.Memory(proxy)
        memory.start()
        load = autocannon(proxy.port)
        waited = one_request(proxy.port)
        memory.finish()
        return {"name": name, "good": load["2xx"], "refused": load["non2xx"], "timeouts": load["timeouts"],
                "after_s": waited, "memory_before": memory.before(), "memory_growth": memory.growth(),
                "memory_samples": memory.samples}


def row(result):
    after = result["after_s"]
    return {"proxy": result["name"], "good": result["good"], "refused": result["refused"],
            "timeouts": result["timeouts"], "memory": f"{result['memory_before'] / harness.MEBIBYTE:.1f} MB",
            "growth": f"+{result['memory_growth'] / harness.MEBIBYTE:.1f} MB",
            "request afterwards": f"none in {LONGEST_WAIT} s" if after is None else f"{after:.2f} s"}


def targets(result):
    growth, after = result["memory_growth"] / harness.MEBIBYTE, result["after_s"]
    return [
        (f"good answers, {SECONDS} +- 1", result["good"], abs(result["good"] - SECONDS) <= 1),
        ("memory growth below 5 MB", f"{growth:.1f} MB", growth < 5),
        # Up to one second more: the worker's socket may still be busy with the last request of the load.
        ("a request right afterwards within 2.2 s", f"{after} s", after is not None and after < 2.2),
    ]


def run():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--proxy", action="append", choices=PROXIES, help="only this one; repeatable")
    names = parser.parse_args().proxy or PROXIES
    harness.require("node")

    print(f"worker: {DELAY_MS} ms a request behind one socket; autocannon -c {CLIENTS} -d {SECONDS}")
    results = []
    for name in names:
        print(f"{name} ...", flush=True)
        results.append(measure(name))
    harness.table([row(result) for result in results])
    harness.save("story", {"clients": CLIENTS, "seconds": SECONDS, "proxies": results})
    return all([harness.check(targets(result)) for result in results if result["name"] == "grayd"])


if __name__ == "__main__":
    sys.exit(harness.main(run))
