#!/usr/bin/env python3
"""How soon a bad version loses its users, and how often a good one does: simulated through the real judge, and with
real workers and users.

The simulated part is exact for a seed and needs no quiet machine; the real part is a check of the whole way.
"""
import argparse
import datetime
import importlib.util
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

import harness
import native

TESTS = pathlib.Path(__file__).resolve().parents[1] / "integration"


def of_tests(name, module):
    """A module of the integration tests, which also has a harness."""
    spec = importlib.util.spec_from_file_location(name, TESTS / f"{module}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


os.environ.setdefault("GRAYD_BUILD", "build/release")
sys.path.append(str(TESTS))
Users = of_tests("users", "users").Users
Grayd, faulty, merged = (getattr(of_tests("tests_harness", "harness"), name) for name in ("Grayd", "faulty", "merged"))

RATE, USERS = 200, 4_000
KINDS = ("simulated", "errors", "signals", "releases", "abort")
HELLO = {"command": ["node", str(TESTS.parents[1] / "workers/node/hello.js")], "ready": ["ipc"], "instances": 2}
LEAKING = """
const kept = [];
require('node:http').createServer((request, response) => {
  if (request.url !== '/healthz') kept.push(Buffer.alloc(LEAK, 1));
  response.end('ok\\n');
}).listen(process.env.PORT, process.env.HOST, () => process.send('ready'));
"""


def wait_for(check, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return time.monotonic()
        time.sleep(0.02)
    raise harness.Failure(f"{what}: not within {seconds} s")


class Service:
    """grayd with v1 (good) and v2; leaving it ends it."""

    def __init__(self, v1=None, v2=None, **web):
        version = {"command": faulty(), "ready": ["pipe"]}
        self.daemon = Grayd({"service": {"web": merged({
            "stable": "v1", "expose": "version", "identity": ["cookie:uid"],
            "version": {"v1": merged(version, v1 or {}), "v2": merged(version, v2 or {})}}, web)}})

    def __enter__(self):
        self.daemon.launch()
        self.daemon.wait_up(1, "v1", "v2").wait_answers()
        return self

    def __exit__(self, *_):
        self.daemon.clean_up()

    def ctl(self, *args, code=0, timeout=120):
        result = self.daemon.ctl(*args, timeout=timeout)
        if result.code != code:
            raise harness.Failure(f"grayctl {' '.join(args)}: {result}")
        return result

    def weight(self):
        return self.daemon.version("v2")["weight"]

    def users(self, **options):
        return Users(self.daemon.port, **{"rate": RATE, "count": USERS, **options})


def simulated(chosen):
    tool = harness.program(harness.BUILD / "bench/judge")
    command = [tool, "--scale", str(chosen.scale)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=7200)
    result = json.loads(done.stdout)
    rows, targets = [], []
    limits = {0: (5, 12, 5), 120: (8, 15, 8), 3600: (8, 15, 8), 21600: (8, 15, 8)}
    for one in result["errors"]:
        median, p95, users = limits[one["healthy_s"]]
        rows.append({"simulated": f"errors 0.1 -> 10 %, {one['healthy_s']:.0f} s of health", "seeds": one["seeds"],
                     "median s": f"{one['median_s']:.1f}", "p95 s": f"{one['p95_s']:.1f}",
                     "failed users": one["median_users"]})
        limit = f"median <= {median} s, p95 <= {p95} s, <= {users} users"
        targets.append((f"bad after {one['healthy_s']:.0f} s: {limit}",
                        f"{one['median_s']:.1f} s, {one['p95_s']:.1f} s, {one['median_users']}",
                        one["median_s"] <= median and one["p95_s"] <= p95 and one["median_users"] <= users))
    for one, limit in zip(result["slower"], (15, 40)):
        rows.append({"simulated": f"20 % slower, sigma {one['sigma']}", "seeds": one["seeds"],
                     "median s": f"{one['median_s']:.1f}", "p95 s": f"{one['p95_s']:.1f}", "failed users": None})
        targets.append((f"20 % slower, sigma {one['sigma']}: median <= {limit} s", f"{one['median_s']:.1f} s",
                        one["median_s"] <= limit))
    false = sum(one["false_aborts"] for one in result["equal_latency"])
    seeds = sum(one["seeds"] for one in result["equal_latency"])
    targets.append((f"equal latencies, an hour each: 0 false in {seeds}", false, false == 0))
    equal = result["equal"]
    targets.append((f"equal versions, 24 h each: <= 2 false in {equal['seeds']}", equal["false_aborts"],
                    equal["false_aborts"] <= 2))
    return rows, targets, result


def errors(chosen):
    """v2 is bad from the start of its step."""
    seconds, failed = [], []
    for seed in range(chosen.runs):
        bad = {"command": faulty("--error-rate", "0.1", "--seed", str(seed + 1))}
        good = {"command": faulty("--error-rate", "0.001", "--seed", str(seed + 100))}
        with Service(good, bad) as service, service.users(seed=seed) as users:
            wait_for(lambda: sum(users.served.values()) > 5 * RATE, 60, "users")
            service.ctl("rollout", "start", "web", "v2", "--steps", "5", "--hold", "1h")
            begin = wait_for(lambda: service.weight() == 5, 10, "the first step")
            seconds.append(wait_for(lambda: service.weight() == 0, 120, "an abort") - begin)
            failed.append(len(users.failed_users("v2")))
    text = ", ".join(f"{s:.1f} s ({f} users)" for s, f in zip(seconds, failed))
    rows = [{"real": "errors 0.1 -> 10 % at 5 %", "runs": chosen.runs, "median s": f"{statistics.median(seconds):.1f}",
             "failed users": statistics.median(failed)}]
    return rows, [("real runs, errors 10 %: median <= 5 s", text, statistics.median(seconds) <= 5)], \
        {"seconds": seconds, "failed_users": failed}


def node(leak):
    return {"command": ["node", "-e", LEAKING.replace("LEAK", str(leak))], "ready": ["ipc"],
            "health": {"path": "/healthz"}}


def signals(_chosen):
    """The supervisor's signals: a stopped process, a crash loop, leaks."""
    rows, targets, found = [], [], {}

    def note(what, seconds, limit, users):
        others = len(users.not_of("v2"))
        rows.append({"real": what, "runs": 1, "median s": f"{seconds:.1f}",
                     "failed users": len(users.failed_users("v2"))})
        targets.append((f"{what}: weight 0 within {limit} s, no failure but its own",
                        f"{seconds:.1f} s, {others} others",
                        seconds <= limit and others == 0))
        found[what] = seconds

    with Service() as service, service.users() as users:
        service.ctl("shift", "web", "v2", "25")
        wait_for(lambda: users.served["v2"] > 100, 60, "users of v2")
        pid = service.daemon.pids("v2")[0]
        begin = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        took = wait_for(lambda: service.weight() == 0, 60, "the hang") - begin
        os.kill(pid, signal.SIGCONT)
    note("SIGSTOP", took, 8, users)
    with Service(v2={"command": faulty("--crash-at", "20")}) as service, service.users() as users:
        wait_for(lambda: sum(users.served.values()) > RATE, 60, "users")
        service.ctl("shift", "web", "v2", "25")
        begin = wait_for(lambda: "v2" in users.served, 10, "the first answer of v2")
        took = wait_for(lambda: service.weight() == 0, 60, "the crash loop") - begin
    note("crash loop, from its first answer", took, 1, users)
    for leak, limit in ((200_000, 60), (20_000, 180)):
        with Service(node(0), node(leak)) as service, service.users() as users:
            service.ctl("shift", "web", "v2", "25")
            begin = time.monotonic()
            took = wait_for(lambda: service.weight() == 0, 2 * limit, "the leak") - begin
        note(f"leak of {leak // 1000} KB a request", took, limit, users)
    return rows, targets, found


def abort(_chosen):
    times = []
    with Service() as service, service.users() as users:
        for _ in range(9):
            service.ctl("rollout", "start", "web", "v2", "--steps", "50", "--hold", "1h")
            wait_for(lambda: service.weight() == 50, 10, "the first step")
            begin = time.monotonic()
            service.ctl("rollout", "abort", "web")
            times.append(1000 * (time.monotonic() - begin))
    median = statistics.median(times)
    return [{"real": "abort, in force in every router", "runs": len(times), "median s": f"{median / 1000:.3f}",
             "failed users": len(users.failed)}], \
        [("an abort is in force in < 100 ms, grayctl included, no failed request", f"{median:.0f} ms, "
          f"{len(users.failed)} failed", median < 100 and not users.failed)], {"abort_ms": times}


def releases(_chosen):
    """Ten releases in a row, every third one bad."""
    version = {"command": faulty(), "ready": ["pipe"]}
    release = {**version, "command": ["sh", "run.sh"], "cwd": "releases/{version}", "warm": "5s"}
    rollout = {"steps": [10, 100], "hold": "1s"}
    with Service(release=release, rollout=rollout) as service:
        service.ctl("stop", "web", "v2")
        daemon = service.daemon
        for number in range(1, 11):
            folder = os.path.join(daemon.folder, "releases", str(number))
            os.makedirs(folder)
            flags = " --error-rate 0.3" if number % 3 == 0 else ""
            with open(os.path.join(folder, "run.sh"), "w") as file:
                file.write(f"exec {faulty()[0]}{flags}\n")
        stable, wrong, own = "v1", [], set()
        with Users(daemon.port, rate=RATE, count=USERS, connections=64) as users:
            for number in range(1, 11):
                good = number % 3 != 0
                result = daemon.ctl("deploy", "web", str(number), "--rollout", timeout=180)
                stable = str(number) if good else stable
                now = daemon.status()["services"][0]["stable"]
                if result.code != (0 if good else 6) or now != stable:
                    wrong.append(f"{number}: {result}, stable {now}")
                if not good:
                    own.add(str(number))
                if number == 4:  # as many versions are kept as later on: two former stables, and a bad one
                    before = settled_usage(daemon)
            others = [failure for failure in users.failed if failure[3] not in own]
            after = settled_usage(daemon)
    grown = {key: after[key] - before[key] for key in before}
    return [{"real": "ten releases", "runs": 10, "median s": None, "failed users": len(users.failed)}], [
        ("ten releases: good ones promoted, bad ones back", wrong or "all as they should", not wrong),
        ("ten releases: no failed request but of the bad versions", others[:3] or 0, not others),
        ("ten releases: grayd grows by < 2 MiB and < 4 descriptors",
         f"{grown['rss'] / harness.MEBIBYTE:.1f} MiB, {grown['files']}",
         grown["rss"] < 2 * harness.MEBIBYTE and grown["files"] < 4)], {"wrong": wrong, "grown": grown}


def equal(chosen):
    """Equal Node workers at 25 %: nothing may be said against v2. Only if it is asked for: it takes an hour."""
    with Service(HELLO, HELLO) as service, service.users() as users:
        service.ctl("shift", "web", "v2", "25")
        end = time.monotonic() + 60 * chosen.minutes
        while time.monotonic() < end and service.weight() == 25:
            time.sleep(1)
        verdict = service.daemon.version("v2")["verdict"]
        events = json.loads(service.ctl("events", "-o", "json").out)["events"]
        said = [event["text"] for event in events if event["kind"] == "judged"]
    print(f"  {users.served['v1']} requests of v1, {users.served['v2']} of v2; verdict at the end: {verdict}")
    return [{"real": f"equal Node workers, {chosen.minutes} min", "runs": 1, "median s": None,
             "failed users": len(users.failed)}], [
        ("equal Node workers: no alarm, no fail, no failed request", said or users.failed[:5],
         not said and not users.failed)], {"said": said, "failed": users.failed}


def settled_usage(daemon):
    """Of the master, once only the stable version runs: former and aborted ones end after `warm`."""
    wait_for(lambda: sum(bool(version["workers"]) for version in daemon.status()["services"][0]["versions"]) == 1, 60,
             "the end of the other versions")
    pid = daemon.process.pid
    with open(f"/proc/{pid}/statm") as file:
        rss = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {"rss": rss, "files": len(os.listdir(f"/proc/{pid}/fd"))}


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=(*KINDS, "equal"), help="only this part; repeatable")
    parser.add_argument("--minutes", type=int, default=60, help="of equal Node workers (--only equal)")
    parser.add_argument("--runs", type=int, default=5, help="real runs with errors")
    parser.add_argument("--scale", type=float, default=1, help="part of the simulated seeds")
    chosen = parser.parse_args()
    print(f"{datetime.date.today()}, {native.machine_name()}; {RATE} requests/s of {USERS} users", flush=True)
    met, results = True, {"date": str(datetime.date.today()), "machine": native.machine_name()}
    for kind in chosen.only or KINDS:
        rows, targets, results[kind] = globals()[kind](chosen)
        harness.table(rows)
        met &= harness.check(targets)
        print(flush=True)
    harness.save("rollout", results)
    return met


if __name__ == "__main__":
    sys.exit(harness.main(run))
