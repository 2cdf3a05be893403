"""Shared by all black-box tests: a separate grayd in a temporary folder, its processes, and grayctl.

A test sees only what a user sees: the configuration file, the sockets, the exit codes, the processes. The programs come
from $GRAYD_BUILD (build/dev). Every daemon carries a mark in its environment, which its workers inherit, so that a test
can check that no process is left, and ends only its own processes.
"""
import ctypes
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

from http_client import Client

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(ROOT, os.environ.get("GRAYD_BUILD", "build/dev"))
MARK = "GRAY_TEST_MARK"
SLOWER = 4 if "san" in os.path.basename(BUILD) else 1  # sanitized programs get more time
PR_SET_PDEATHSIG = 1


def fake(*flags):
    """The command of a worker that misbehaves on request (workers/fake.py)."""
    return [sys.executable, os.path.join(HERE, "workers", "fake.py"), *flags]


def faulty(*flags):
    """The command of the compiled sample worker: quick, for tests of many requests."""
    return [os.path.join(BUILD, "faulty"), *flags]


def eventually(check, timeout=10.0, what="it"):
    """Calls `check` until it returns a true value, and returns that; fails when the time is up."""
    deadline = time.monotonic() + timeout * SLOWER
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {timeout * SLOWER:.0f} s")
        time.sleep(0.01)


def free_port():
    """A port on which no process listens, outside the range for outgoing connections, so that no connection of a
    parallel test can take it before grayd binds it."""
    for port in random.sample(range(20000, 32000), 200):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no free port between 20000 and 32000")


def to_toml(table, prefix=""):
    """Nested dicts as TOML tables, lists of dicts as arrays of tables; JSON's strings, numbers, booleans and other
    arrays are TOML's too."""
    def is_tables(value):
        return isinstance(value, list) and value and isinstance(value[0], dict)

    scalars = [f"{key} = {json.dumps(value)}" for key, value in table.items()
               if not isinstance(value, dict) and not is_tables(value)]
    parts = ([f"[{prefix}]"] if prefix and scalars else []) + scalars
    for key, value in table.items():
        if isinstance(value, dict):
            parts.append(to_toml(value, f"{prefix}.{key}" if prefix else key))
        elif is_tables(value):
            name = f"{prefix}.{key}" if prefix else key
            parts += [f"[[{name}]]\n" + to_toml(one, name).replace(f"[{name}]\n", "", 1) for one in value]
    return "\n".join(parts) + "\n"


def merged(base, changes):
    """`base` with `changes` laid over it, table by table; None removes."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def with_proofs(config):
    """`config` with min_healthy = "0s" in versions that do not set it, and without it if it is "default"."""
    def of_version(version):
        if not isinstance(version, dict):
            return version
        proof = {"min_healthy": version.get("min_healthy", "0s")}
        rest = {key: value for key, value in version.items() if key != "min_healthy"}
        return rest if proof["min_healthy"] == "default" else {**proof, **rest}

    services = {name: {**service, "version": {key: of_version(version) for key, version in
                                              service.get("version", {}).items()}}
                for name, service in config.get("service", {}).items()}
    return {**config, **({"service": services} if services else {})}


def two_versions(**changes):
    """A service `web` with v1 (stable) and v2, both fakes; `changes` are laid over the service's table."""
    version = {"command": fake(), "ready": ["pipe"]}
    service = {"stable": "v1", "param": "version", "header": "x-version", "cookie": "version", "expose": "decision",
               "identity": ["cookie:uid"], "version": {"v1": version, "v2": dict(version)}}
    return merged(service, changes)


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out}--- stderr\n{self.err}"


def run_program(program, *args, cwd=None, timeout=30, env=None):
    done = subprocess.run([os.path.join(BUILD, program), *args], cwd=cwd, timeout=timeout * SLOWER, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, errors="replace")
    return Result(done.returncode, done.stdout, done.stderr)


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def processes_with(mark):
    """Pids of living processes that carry this mark in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                marked = f"{MARK}={mark}".encode() in file.read().split(b"\0")
            with open(f"/proc/{pid}/stat", "rb") as file:
                zombie = file.read().rsplit(b")", 1)[1].split()[0] == b"Z"
        except OSError:
            continue
        if marked and not zombie:
            found.append(int(pid))
    return found


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rsplit(b")", 1)[1].split()[0] != b"Z"
    except OSError:
        return False


def children_of(pid):
    found = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/children") as file:
            found += [int(child) for child in file.read().split()]
    return found


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().decode(errors="replace").split("\0")
    except OSError:
        return []


def rss_bytes(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Grayd:
    """A running grayd with its folder. `config` is a dict; see GrayTest.start()."""

    def __init__(self, config):
        self.folder = tempfile.mkdtemp(prefix="grayd-test-")
        self.config_file = os.path.join(self.folder, "grayd.toml")
        self.admin = os.path.join(self.folder, "grayd.sock")
        self.mark = uuid.uuid4().hex
        self.port = free_port()
        self.process = None
        self.last_log = None  # all of it, once the folder is removed
        self.write_config(config)

    def write_config(self, config):
        """Workers are replaced without a proof, unless a test says otherwise; "default" is grayd's own default."""
        base = {"state_dir": "state", "access_log": "access.log",
                "listen": {"http": [f"127.0.0.1:{self.port}"], "admin": "grayd.sock"}, "router": {"threads": 2},
                "memory": {"leak_detection": "paranoid"}}
        self.config = merged(base, config)
        with open(self.config_file, "w") as file:
            file.write(to_toml(with_proofs(self.config)))

    def launch(self, prefix=(), env=None, **options):
        """`prefix` is a command that executes the one behind it; `options` are those of Popen."""
        command = [*prefix, os.path.join(BUILD, "grayd"), "--config", self.config_file]
        env = {**os.environ, **(env or {}), MARK: self.mark}
        with open(os.path.join(self.folder, "grayd.log"), "ab") as log:
            options = {"stdout": log, "stderr": log, **options}
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=self.folder, env=env,
                                            preexec_fn=die_with_parent, **options)
        return self

    def log(self):
        """All output of grayd on stdout and stderr; nothing if it was never started."""
        if not self.process:
            return ""
        if self.last_log is not None:
            return self.last_log
        with open(os.path.join(self.folder, "grayd.log"), errors="replace") as file:
            return file.read()

    def access_log(self):
        """Its whole lines: one may be written just now."""
        with open(os.path.join(self.folder, self.config["access_log"])) as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def ctl(self, *args, timeout=30):
        return run_program("grayctl", "--socket", self.admin, *args, cwd=self.folder, timeout=timeout)

    def status(self):
        result = self.ctl("status", "-o", "json")
        if result.code != 0:
            raise AssertionError(f"grayctl status: {result}")
        return result.json()

    def version(self, version, service="web"):
        for entry in self.status()["services"]:
            for found in entry["versions"]:
                if (entry["name"], found["name"]) == (service, version):
                    return found
        return None

    def pids(self, version, service="web"):
        """The pids of the workers of a version that are up."""
        workers = self.version(version, service)["workers"]
        return [worker["pid"] for worker in workers if worker["state"] in ("ready", "healthy")]

    def router(self):
        """The pid of the router child; None while there is none."""
        routers = [pid for pid in children_of(self.process.pid) if "router" in command_line(pid)[1:2]]
        return routers[-1] if routers else None

    def wait_up(self, count, *versions, service="web", timeout=20):
        """Waits until each of `versions` has `count` workers up and every router knows them."""
        return self._wait_workers(count, versions, ("ready", "healthy"), service, timeout)

    def wait_healthy(self, count, *versions, service="web", timeout=20):
        """The same, of workers that take requests: those that are only ready do not."""
        return self._wait_workers(count, versions, ("healthy",), service, timeout)

    def _wait_workers(self, count, versions, states, service, timeout):
        def enough(entry):
            return (entry["state"] != "starting" and
                    [worker["state"] in states for worker in entry["workers"]].count(True) >= count)

        def there():
            result = self.ctl("status", "-o", "json")
            if result.code != 0:  # it may not listen yet
                return False
            status = result.json()
            behind = [router for router in status["routers"]
                      if router["state"] == "ready" and router["table"] != status["table"]]
            found = {version["name"]: version for entry in status["services"] if entry["name"] == service
                     for version in entry["versions"]}
            return not behind and all(enough(found[name]) for name in versions)
        self._wait(there, timeout, f"{count} workers of {service} {' '.join(versions)}, {states[-1]}")
        return self

    def _wait(self, check, timeout, what):
        def alive_and_checked():
            if self.process.poll() is not None:
                raise AssertionError(f"grayd ended with {self.process.returncode} while waiting for {what}")
            return check()
        return eventually(alive_and_checked, timeout, what)

    def wait_answers(self, path="/", status=200, timeout=10, **options):
        """Waits until a request gets this status; earlier answers are ignored."""
        def answers():
            try:
                response = self.get(path, **options)
                return response if response and response.status == status else None
            except OSError:
                return None
        return self._wait(answers, timeout, f"status {status} for {path}")

    def client(self, where=None, **options):
        return Client(where or self.port, **{"timeout": 20 * SLOWER, **options})

    def get(self, path="/", method="GET", **options):
        with self.client() as client:
            return client.ask(path, method, **options)

    def leftovers(self):
        return processes_with(self.mark)

    def stop(self, timeout=15):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout * SLOWER)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def clean_up(self):
        if self.process:
            try:
                self.stop(timeout=8)
            except subprocess.TimeoutExpired:
                self.kill()
            for pid in self.leftovers():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        self.last_log = self.log()
        shutil.rmtree(self.folder, ignore_errors=True)


class GrayTest(unittest.TestCase):
    """A test with separate daemons, or one per class (see start_shared). On failure their logs are shown."""

    shared = None

    def ok(self, *args, **options):
        """A grayctl of self.daemon that must succeed."""
        result = self.daemon.ctl(*args, **options)
        self.assertEqual(result.code, 0, result)
        return result

    def start(self, web=None, up=("v1", "v2"), **config):
        """A grayd with `web` as [service.web] (two_versions() if None); other keys are laid over the file. Waits
        until the versions in `up` are, and the first answer comes; for nothing if there are none."""
        daemon = self._prepared(web, config)
        self._own.append(daemon)
        return self._started(daemon, up)

    @classmethod
    def start_shared(cls, web=None, up=("v1", "v2"), **config):
        """The same, for all tests of a class, as `shared`."""
        cls.shared = cls._prepared(web, config)
        cls.addClassCleanup(cls.shared.clean_up)
        try:
            cls._started(cls.shared, up)
        except AssertionError:
            print(f"--- log\n{cls.shared.log()[-6000:]}--- end of log", flush=True)
            raise

    @staticmethod
    def _prepared(web, config):
        return Grayd(merged({"service": {"web": web or two_versions()}}, config))

    @staticmethod
    def _started(daemon, up):
        daemon.launch()
        if up:
            daemon.wait_up(1, *up).wait_answers()
        return daemon

    def run(self, result=None):
        self._own = []
        self.addCleanup(self._close, result, len(result.failures) + len(result.errors))
        return super().run(result)

    def _close(self, result, failed_before):
        if len(result.failures) + len(result.errors) > failed_before:
            for daemon in self._own + ([self.shared] if self.shared else []):
                print(f"--- log of {self.id()}\n{daemon.log()[-6000:]}--- end of log", flush=True)
        for daemon in self._own:
            daemon.clean_up()
        leaks = [line for daemon in self._own for line in daemon.log().splitlines() if "buffer leak" in line]
        self.assertEqual(leaks, [], "buffers were held for too long")
