#!/usr/bin/env python3
"""Latency of a request at 30, 60 and 80 % of the saturation of each proxy: grayd, nginx, HAProxy, one thread each.

Each proxy's saturation is found first, by 64 clients that never pause. Then requests are offered by the clock (open
loop) over 64 kept connections, and latency counts from the moment a request was meant to start: a stall delays all that
should have started meanwhile, and all of them count (no coordinated omission). Rounds are interleaved and their order
is rotated; what is told is the median over the rounds.

The backend shares the proxy's processor, as services and their router on one host do: the generator needs the other for
itself, because one that queues tells of itself and not of the proxy.
"""
import argparse
import datetime
import sys

import figures
import harness
import native
import peers

PROXIES = ["grayd", "nginx", "haproxy"]
CONNECTIONS = 64
SHARES = [30, 60, 80]  # percent of saturation
QUANTILES = ["p50", "p90", "p99", "p99.9"]
DIRECT = "no proxy"  # the load generator and the backend alone, at the rate of the first proxy: the floor


def saturations(runners, rounds):
    """{name: answers per second} in a closed loop, the median of interleaved rounds after one to warm up."""
    samples = {name: [] for name in runners}
    for turn in range(rounds + 1):
        for name, runner in runners.items():
            rate = runner.sample(CONNECTIONS, 1 if turn else 0.5)["rps"]
            if turn:
                samples[name].append(rate)
    return {name: figures.middle(rates) for name, rates in samples.items()}


def offer(load, rate, seconds):
    """One open-loop run; quantiles in ms and the answers per second that came."""
    result = load("--rate", round(rate), "--keepalive", CONNECTIONS, "--seconds", seconds, "--timeout", 5)
    good = result["status"].get("200", 0)
    return {"rps": result["rps"], "failed": result["offered"] - good,
            **{name: result["latency_ms"]["all"][name] for name in QUANTILES}}


def measure(runners, rates, chosen):
    """{(name, share): [sample of each round]}."""
    samples = {}
    names = list(runners)
    with harness.Bench() as bench:
        place = peers.Place(str(bench.folder), native.programs("relay"), ["taskset", "-c", str(native.PROXY_CPU)])
        process, port = bench.start_printing_port(peers.backend_command(place, 0), start_new_session=True)
        native.take_priority(process.pid)
        loads = {name: runner.load for name, runner in runners.items()}
        loads[DIRECT] = lambda *options: harness.loadgen(port, *options, cpu=native.LOAD_CPU)
        for turn in range(chosen.rounds):
            for share in SHARES:
                first = turn % len(names)
                for name in [*names[first:], *names[:first], DIRECT]:
                    rate = rates.get(name, rates[names[0]]) * share / 100
                    samples.setdefault((name, share), []).append(offer(loads[name], rate, chosen.seconds))
    return samples


def rows(rates, samples):
    """For the table, share by share."""
    out = []
    for name, share in sorted(samples, key=lambda key: key[1]):
        taken = samples[name, share]
        last = [sample["p99.9"] for sample in taken]
        offered = rates.get(name, next(iter(rates.values()))) * share / 100
        out.append({"proxy": name, "of saturation": f"{share} %", "offered/s": f"{offered:,.0f}",
                    "answered/s": f"{figures.middle([sample['rps'] for sample in taken]):,.0f}",
                    **{q: f"{figures.middle([sample[q] for sample in taken]):.2f} ms" for q in QUANTILES},
                    "p99.9 from .. to": f"{min(last):.2f} .. {max(last):.2f}",
                    "failed": sum(sample["failed"] for sample in taken)})
    return out


def targets(samples):
    """grayd's p99.9 at 60 % against the better peer's; nothing where that was not measured."""
    last = {name: figures.middle([sample["p99.9"] for sample in taken])
            for (name, share), taken in samples.items() if share == 60}
    of_peers = [last[name] for name in figures.PEERS if name in last]
    if "grayd" not in last or not of_peers:
        return []
    failed = sum(sample["failed"] for (name, _), taken in samples.items() if name == "grayd" for sample in taken)
    best = min(of_peers)
    return [(f"p99.9 at 60 % of saturation, at most the better peer's {best:.2f} ms", f"{last['grayd']:.2f} ms",
             last["grayd"] <= best),
            ("requests that grayd failed, none", failed, failed == 0)]


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proxy", action="append", choices=PROXIES, help="only this one; repeatable")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="of each run")
    chosen = parser.parse_args()
    names = [name for name in PROXIES if name in (chosen.proxy or PROXIES)]

    print(f"{datetime.date.today()}, {native.machine_name()}; {CONNECTIONS} connections, answers of {peers.BODY} "
          f"bytes, median of {chosen.rounds} rounds of {chosen.seconds:g} s")
    native.take_priority()
    with harness.Bench() as bench:
        runners = {name: native.Runner(bench, name, worker_cpu=native.PROXY_CPU) for name in names}
        rates = saturations(runners, min(3, chosen.rounds))
        for name in names:
            print(f"{name}: saturated at {rates[name]:,.0f} answers/s; {peers.ABOUT[name]}", flush=True)
        samples = measure(runners, rates, chosen)
    harness.table(rows(rates, samples))
    harness.save("latency", {"date": str(datetime.date.today()), "machine": native.machine_name(), "saturation": rates,
                             "runs": [{"proxy": name, "share": share, "rounds": taken}
                                      for (name, share), taken in samples.items()]})
    return harness.check(targets(samples))


if __name__ == "__main__":
    sys.exit(harness.main(run))
