"""Runs the proxies of the comparison on this machine: each pinned to one processor, load and backends to another, and
reads what they cost. Where the processor's counters can be used (perf stat), instructions, cycles and entries into the
kernel; everywhere the CPU time of the proxy's processes, from their clocks."""
import atexit
import contextlib
import functools
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time

import figures
import harness
import peers

PERF = ["perf", "stat", "-x,", "-e", ",".join(figures.EVENTS)]
LOAD_CPU = 0
PROXY_CPU = 1 if (os.cpu_count() or 1) > 1 else 0


def take_priority(pid=0):
    """Lets a process, or this one, and what it starts from now on go before what else the machine does, if that is
    allowed. A session may be scheduled as a group, whose weight counts before that of its processes."""
    group = pathlib.Path(f"/proc/{pid or 'self'}/autogroup")
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, -20)
        before = group.read_text().split()[-1]
        group.write_text("-20")
        if not pid:
            atexit.register(group.write_text, before)  # it is the session of whoever called us


@functools.cache
def has_counters():
    """Whether perf can count instructions here; many virtual machines do not let it."""
    with contextlib.suppress(OSError):
        answer = subprocess.run([*PERF, "true"], capture_output=True, text=True)
        return answer.returncode == 0 and None not in figures.parse_counters(answer.stderr).values()
    return False


def cpu_seconds(pids):
    """CPU time that processes have had, user and kernel, all threads."""
    return sum(time.clock_gettime((~pid << 3) | 2) for pid in pids)


class Runner:
    """One proxy that runs on its processor, its backend on the other; `ids` are its processes, backend left out.
    `own`: what is set differently (peers.setup)."""

    def __init__(self, bench, name, log=False, worker_cpu=LOAD_CPU, targeting=None, **own):
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=bench.folder))
        self.name, self.port = name, harness.free_port()
        place = peers.Place(str(folder), programs(name), worker=["taskset", "-c", str(worker_cpu)])
        backend = None
        if name != "grayd":
            # In a session of its own, as grayd's is: the scheduler may treat it as a group of its own.
            process, backend = bench.start_printing_port(peers.backend_command(place, 0), start_new_session=True)
            take_priority(process.pid)
        setup = peers.setup(name, place, self.port, backend, log, targeting, **own)
        for path, text in setup.files.items():
            pathlib.Path(path).write_text(text)
        process = bench.start_until(setup.command, self.answers, cpu=PROXY_CPU)
        workers = []
        if name == "grayd":
            self.ctl = [harness.program(harness.BUILD / "grayctl"), "--socket", f"{folder}/grayd.sock"]
            workers = harness.worker_pids([*self.ctl, "status", "-o", "json"])
        for worker in workers:
            take_priority(worker)  # a session of its own
        self.ids = harness.tree(process.pid, leave_out=workers)

    def answers(self):
        return harness.connects(self.port) and self.load("--connections", 1, "--requests", 1)["status"].get("200") == 1

    def load(self, *options, headers=()):
        words = [word for header in headers for word in ("--header", header)]
        return harness.loadgen(self.port, *options, *words, cpu=LOAD_CPU)

    def sample(self, connections, seconds, headers=(), path="/"):
        """One closed-loop run: CPU time per request in microseconds, answers per second, the counters per request."""
        options = ("--connections", connections, "--seconds", seconds, "--path", path)
        with self.counting() as counters:
            before = cpu_seconds(self.ids)
            load = self.load(*options, headers=headers)
            spent = cpu_seconds(self.ids) - before
        good = load["status"].get("200", 0)
        if good == 0 or good != load["offered"]:
            raise harness.Failure(f"{self.name} answered {good} of {load['offered']} requests with 200: {load}")
        return {"cpu_us": 1e6 * spent / good, "rps": load["rps"],
                **{event: None if count is None else count / good for event, count in counters.items()}}

    @contextlib.contextmanager
    def counting(self):
        """Counts figures.EVENTS of the proxy's processes while the block runs; the dictionary is filled at its end."""
        counters = dict.fromkeys(figures.EVENTS)
        if not has_counters():
            yield counters
            return
        perf = subprocess.Popen([*PERF, "-p", ",".join(map(str, self.ids))], stderr=subprocess.PIPE, text=True)
        time.sleep(0.1)  # until it has attached; nothing says when, and the proxy is idle meanwhile
        try:
            yield counters
        finally:
            perf.send_signal(signal.SIGINT)
            counters |= figures.parse_counters(perf.communicate()[1])


def programs(name):
    built = harness.BUILD / "bench"
    found = {tool: harness.program(built / tool) for tool in ("light_backend", "relay")}
    found["node_proxy.js"] = str(harness.HERE / "node_proxy.js")
    if name == "grayd":
        found["grayd"] = harness.program(harness.BUILD / "grayd")
    elif name != "relay":
        found[name] = harness.path_of(name)
    return found


def machine_name():
    """What the figures were measured on, in one line."""
    model = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} x {model[1] if model else 'processor'}, Linux {os.uname().release}"
