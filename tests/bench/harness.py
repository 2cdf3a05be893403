"""What the benchmarks share: starting and ending the programs under test, memory figures, load, tables.

Every process is started here, ended here by its own id whatever happens, and dies with this one; every wait is bounded.
"""
import contextlib
import ctypes
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / os.environ.get("GRAYD_BUILD", "build/release")
RESULTS = ROOT / "build/bench"
HERE = pathlib.Path(__file__).resolve().parent
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)

MEBIBYTE = 1 << 20
PER_ADDRESS = 900  # connections that come from one address: a client may have 1,000 to grayd


class Failure(Exception):
    """A benchmark that cannot be run; the text says why and what to do."""


def program(path):
    """An executable of the build, or a Failure that names it."""
    if not os.access(path, os.X_OK):
        raise Failure(f"{path} is missing; scripts/bench builds it")
    return str(path)


def path_of(command):
    """Where an installed program lies; looked for where administrators have their programs, too."""
    found = shutil.which(command, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not found:
        raise Failure(f"{command} is not installed; scripts/bench installs it")
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port, number, buffer=None):
    """The connection with that number, from one of several addresses. `buffer`: SO_RCVBUF."""
    client = socket.socket()
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    address = number // PER_ADDRESS
    client.bind((f"127.1.{address // 250}.{address % 250 + 1}", 0))
    client.connect(("127.0.0.1", port))
    client.settimeout(20)
    return client


def allow_descriptors():
    """Lets this process have as many descriptors as it may; their number."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Bench(contextlib.ExitStack):
    """One benchmark's processes and temporary folder; leaving it ends and removes them all."""

    def __enter__(self):
        super().__enter__()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
        self.folder = pathlib.Path(self.enter_context(tempfile.TemporaryDirectory(prefix="gray-bench-")))
        return self

    def start(self, command, stdout=None, cpu=None, **options):
        """Starts a program, pinned to `cpu`; errors, and output unless stdout is given, go to a log in the folder."""
        def prepare():
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if cpu is not None:
                os.sched_setaffinity(0, {cpu})

        log = self.enter_context(open(self.log_of(command), "w"))
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log,
                                   preexec_fn=prepare, **options)
        self.callback(stop, process)
        return process

    def log_of(self, command):
        return self.folder / f"{pathlib.Path(command[0]).name}.log"

    def start_until(self, command, ready, seconds=15, **options):
        """Starts a program and waits until ready() is true; `options` are those of start()."""
        process = self.start(command, **options)
        end = time.monotonic() + seconds
        while not ready():
            if process.poll() is not None or time.monotonic() > end:
                state = "is not ready" if process.poll() is None else f"ended with {process.returncode}"
                raise Failure(f"{command[0]} {state}; it said:\n{self.log_of(command).read_text()}")
            time.sleep(0.02)
        return process

    def start_printing_port(self, command, **options):
        """Starts a program that prints its port first; gives the process and the port."""
        process = self.start(command, stdout=subprocess.PIPE, text=True, **options)
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise Failure(f"{command[0]} printed {line!r} instead of its port")
        return process, int(line)

    def backend(self, *options):
        """In a session of its own, as grayd starts its workers: the scheduler's autogroups share the CPU by session."""
        return self.start_printing_port([program(BUILD / "bench/light_backend"), "--port", "0", *options],
                                        start_new_session=True)

    def node_master(self, backend_port):
        process, port = self.start_printing_port(["node", str(HERE / "node_master.js"), str(backend_port)])
        return Proxy("node", port, lambda: [process.pid])

    def haproxy(self, backend_port, server, queue_timeout, clients=4000):
        """One thread, connections to the server reused always; `server` holds its maxconn and maxqueue."""
        port = free_port()
        config = self.folder / "haproxy.cfg"
        config.write_text(f"""
global
    nbthread 1
    maxconn {clients}
defaults
    mode http
    timeout connect 2s
    timeout client 75s
    timeout server 60s
    timeout queue {queue_timeout}
    http-reuse always
listen bench
    bind 127.0.0.1:{port} backlog 4096
    server worker 127.0.0.1:{backend_port} {server}
""")
        process = self.start_until(["haproxy", "-db", "-f", str(config)], lambda: connects(port))
        return Proxy("haproxy", port, lambda: [process.pid])

    def grayd(self, worker, limits, router=""):
        """grayd with one worker, `worker` being its command line; lines of [service.web.limits] and of [router]."""
        port = free_port()
        admin = self.folder / "grayd.sock"
        config = self.folder / "grayd.toml"
        config.write_text(f"""
state_dir = "{self.folder}/state"
access_log = "off"

[listen]
http = ["127.0.0.1:{port}"]
admin = "{admin}"

[router]
threads = 1
{router}

[service.web]
stable = "v1"

[service.web.limits]
{limits}

[service.web.version.v1]
command = {json.dumps(worker)}
ready = "pipe"
""")
        ctl = [program(BUILD / "grayctl"), "--socket", str(admin), "status", "-o", "json"]
        process = self.start_until([program(BUILD / "grayd"), "--config", str(config)],
                                   lambda: worker_pids(ctl) and connects(port))
        return Proxy("grayd", port, lambda: tree(process.pid, leave_out=worker_pids(ctl)))


class Proxy:
    """A running proxy: where it listens, and the ids of its processes without the workers."""

    def __init__(self, name, port, pids):
        self.name, self.port, self.pids = name, port, pids


def stop(process):
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def connects(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def status(ctl):
    """What grayd says of itself; `ctl` is grayctl with its socket."""
    return json.loads(subprocess.run([*ctl, "status", "-o", "json"], capture_output=True, text=True, timeout=5,
                                     check=True).stdout)


def worker_pids(status_command):
    """The ids of the workers that grayd calls healthy, of all services; empty while there is none."""
    answer = subprocess.run(status_command, capture_output=True, text=True, timeout=5)
    if answer.returncode != 0:
        return []
    return [worker["pid"] for service in json.loads(answer.stdout)["services"] for version in service["versions"]
            for worker in version["workers"] if worker["state"] == "healthy"]


def tree(root, leave_out=()):
    """The ids of a process and its descendants, without those in leave_out and below them."""
    found, look_at = [], [root]
    while look_at:
        pid = look_at.pop()
        if pid in leave_out:
            continue
        found.append(pid)
        with contextlib.suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                look_at += map(int, pathlib.Path(f"/proc/{pid}/task/{task}/children").read_text().split())
    return found


def pss(pids):
    """Bytes of memory, shared pages counted by share. A process that has ended counts nothing."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) * 1024
    return total


class Memory(threading.Thread):
    """Samples the memory of a proxy, of the processes it has now, four times a second from start() to finish()."""

    def __init__(self, proxy):
        super().__init__(daemon=True)
        self.pids = proxy.pids()
        self.samples = [pss(self.pids)]
        self.done = threading.Event()

    def run(self):
        while not self.done.wait(0.25):
            self.samples.append(pss(self.pids))

    def finish(self):
        self.done.set()
        self.join()
        return self

    def before(self):
        return self.samples[0]

    def growth(self):
        return max(self.samples) - self.samples[0]


def loadgen(port, *options, limit=300, cpu=None):
    """Runs our load generator, pinned if `cpu`; `limit` is in seconds."""
    pinned = [] if cpu is None else ["taskset", "-c", str(cpu)]
    command = [*pinned, program(BUILD / "bench/loadgen"), f"127.0.0.1:{port}", *map(str, options)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    if answer.returncode != 0:
        raise Failure(f"loadgen: {answer.stderr.strip()}")
    return json.loads(answer.stdout)


def worker_capacity(delay_ms, slots):
    """Answers per second that light_backend gives on so many slots: a little below the calculated ones."""
    with Bench() as bench:
        _, port = bench.backend("--delay-ms", str(delay_ms), "--slots", str(slots))
        return loadgen(port, "--connections", slots, "--seconds", max(3, 4 * delay_ms / 1_000))["rps"]


def require(*commands):
    for command in commands:
        if not shutil.which(command):
            raise Failure(f"{command} is not installed; scripts/bench installs it")


def table(rows):
    """Prints dictionaries with the same keys as a table."""
    cells = [list(rows[0])] + [["-" if value is None else str(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(line, widths)))


def check(targets):
    """Prints PASS or FAIL for each (text, value, met) and says whether all are met."""
    for text, value, met in targets:
        print(f"{'PASS' if met else 'FAIL'}  {text}: {value}")
    return all(met for _, _, met in targets)


def save(name, result):
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=2) + "\n")
    print(f"written: {path.relative_to(ROOT)}")


def main(run):
    """Runs a benchmark: exit 0 if its targets are met, else 1 with what is wrong on stderr."""
    try:
        return 0 if run() else 1
    except (Failure, subprocess.TimeoutExpired) as failure:
        print(f"{pathlib.Path(sys.argv[0]).stem}: {failure}", file=sys.stderr)
        return 1
