"""Row 16: grayd is killed at any moment, with SIGKILL, and nothing survives it."""
import os
import random
import signal
import time

from faults.matrix import cgroups_of
from harness import eventually, faulty, merged, two_versions

LATEST = 0.6  # seconds after its start: workers are being forked all that time
SURVIVAL = 1.0  # seconds that anything may outlive grayd

MANY = merged(two_versions(), {"version": {
    "v1": {"command": faulty("--fork-grandchild"), "ready": ["pipe"], "instances": 12},
    "v2": {"command": ["sh", "-c", "sleep 300 & exec sleep 300"], "ready": ["pipe"], "instances": 4}}})


def kill_often(daemon, rounds, seed):
    """Starts grayd and kills it repeatedly; returns the longest time, in seconds, that a process outlived it."""
    moments, longest = random.Random(seed), 0.0
    for number in range(rounds):
        daemon.launch()
        time.sleep(moments.uniform(0, LATEST))
        daemon.kill()
        killed = time.monotonic()
        eventually(lambda: not daemon.leftovers(), SURVIVAL,
                   f"the end of all after kill {number} (seed {seed}); left: {daemon.leftovers()}")
        longest = max(longest, time.monotonic() - killed)
    return longest


def kill_one_between_fork_and_exec(daemon, tracer):
    """grayd is killed in the system call that returns its first child: the child has not executed yet."""
    daemon.launch(prefix=tracer)
    daemon.process.wait(30)
    eventually(lambda: not daemon.leftovers(), SURVIVAL, f"the end of all; left: {daemon.leftovers()}")


def kill_with_router(daemon, router_first):
    """Kills router and grayd at the same moment. The workers end with grayd; the processes that they forked remain, and
    the next start ends them before it starts anything. Starts grayd, and returns how many processes remained."""
    router = eventually(daemon.router, what="a router")
    old, master = set(daemon.leftovers()), daemon.process.pid
    leaders = {worker["pid"] for version in ("v1", "v2") for worker in daemon.version(version)["workers"]}
    for pid in (router, master) if router_first else (master, router):
        os.kill(pid, signal.SIGKILL)
    daemon.process.wait()
    eventually(lambda: not leaders & set(daemon.leftovers()), SURVIVAL, f"the end of all workers {leaders}")
    orphans = old & set(daemon.leftovers())
    daemon.launch()
    eventually(lambda: daemon.ctl("status").code == 0, what="an answer to an operator")
    outlived = old & set(daemon.leftovers())
    if outlived:
        raise AssertionError(f"processes of the dead grayd beside the new one: {outlived}")
    return len(orphans)


def start_clean(daemon):
    """The next start works, and leaves no cgroup of the dead grayd."""
    daemon.launch().wait_up(1, "v1").wait_answers()
    return cgroups_of(daemon)
