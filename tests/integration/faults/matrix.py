"""The assertions of every row of the fault matrix beside its own outcome.

One grayd serves a stable version to clients that never stop asking. A row adds its faulty versions by a reload, watches
them, and takes them away again. Whatever the fault was: stable answered every request, its workers are those it had,
no process, zombie, cgroup or descriptor is left, and each version reported its end once, with the right cause.
"""
import contextlib
import os
import sys
import threading
import time

from harness import MARK, SLOWER, GrayTest, children_of, eventually, fake, faulty, merged, two_versions

NOISE = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "noise.py")]
STABLE = {"command": faulty(), "ready": ["pipe"], "instances": 2}
LONGEST_WAIT = 30  # seconds for anything without a limit of its own


def shell(script):
    return ["sh", "-c", script]


def then_fake(script, *flags):
    """A worker that runs some code before it becomes a fake."""
    return shell(f"{script}\nexec {' '.join(fake(*flags))}")


class Clients:
    """Send requests to the stable version without a pause, half of them on a new connection each time."""

    COUNT = 4

    def __init__(self, daemon, count=COUNT):
        self.daemon, self.failures, self.times, self.stopped = daemon, [], [], threading.Event()
        self.threads = [threading.Thread(target=self._press, args=(n % 2 == 0,)) for n in range(count)]
        for thread in self.threads:
            thread.start()

    def _press(self, keeps):
        client = None
        while not self.stopped.wait(0.005):  # the processors are for the fault
            started = time.monotonic()
            try:
                client = client or self.daemon.client()
                response = client.ask("/")
                if response is None or response.status != 200 or not response.complete:
                    self.failures.append(response)
            except OSError as error:
                self.failures.append(error)
            self.times.append(time.monotonic() - started)
            if client and (not keeps or self.failures):
                client.close()
                client = None
        if client:
            client.close()

    @property
    def served(self):
        return len(self.times) - len(self.failures)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


def stat_of(pid):
    """Fields of /proc/PID/stat from the state on; None if there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None


def lives(pid):
    """A process that ends between two looks at it, and one that only waits to be reaped, do not."""
    stat = stat_of(pid)
    return stat is not None and stat[0] != "Z"


def environment(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            pairs = (entry.partition(b"=") for entry in file.read().split(b"\0"))
            return {name.decode(errors="replace"): value.decode(errors="replace") for name, _, value in pairs}
    except OSError:
        return {}


def processes_of(daemon, version):
    """Living processes that carry the mark of this daemon and the name of this version; {pid: environment}."""
    found = {}
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        env = environment(pid)
        if env.get(MARK) == daemon.mark and env.get("GRAY_VERSION") == version and lives(pid):
            found[pid] = env
    return found


def open_files(pid):
    """{number: what it is, as in the links of /proc/PID/fd}."""
    found = {}
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):  # closed meanwhile
            found[int(fd)] = os.readlink(f"/proc/{pid}/fd/{fd}")
    return found


def connections():
    """{link: (local port, port of the peer)} of every TCP connection of this machine."""
    found = {}
    for name in ("tcp", "tcp6"):
        with open(f"/proc/net/{name}") as table:
            for fields in map(str.split, list(table)[1:]):
                local, peer = (int(address.rsplit(":", 1)[1], 16) for address in fields[1:3])
                if peer != 0:
                    found[f"socket:[{fields[9]}]"] = (local, peer)
    return found


def cgroups_of(daemon):
    """The cgroups that this grayd made for its workers; empty without cgroup v2."""
    for mount in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        for folder, below, _ in os.walk(mount):
            if os.path.basename(folder) == f"grayd-{daemon.process.pid}":
                return [os.path.join(folder, name) for name in below]
            if folder.count("/") - mount.count("/") > 6:
                below.clear()
    return []


def zombies_of(daemon):
    """Children of grayd that were not reaped."""
    return [pid for pid in children_of(daemon.process.pid) if (stat_of(pid) or "Z")[0] == "Z"]


class Census:
    """The resources of a grayd; a later census must not exceed it.

    How many connections the router has to the clients and to the workers of stable depends on how many requests were in
    flight at the same moment. They are not compared, but bounded by the most that may be in flight."""

    def __init__(self, daemon):
        router = daemon.router()
        stable = [int(worker["address"].rsplit(":", 1)[1]) for worker in daemon.version("v1")["workers"]]
        opened_before = connections()
        files = open_files(router)
        ports = opened_before | connections()  # one that was opened or closed meanwhile is in one of the two
        pairs = [ports[link] for link in files.values() if link in ports]
        accepted = sum(local == daemon.port for local, _ in pairs)
        to_stable = sum(peer in stable for _, peer in pairs)
        self.processes = sorted(daemon.leftovers())
        self.counts = {"descriptors of grayd": len(open_files(daemon.process.pid)),
                       "descriptors of the router without those": len(files) - accepted - to_stable,
                       "cgroups": len(cgroups_of(daemon)), "zombies": len(zombies_of(daemon))}
        self.bounded = {"connections of clients": (accepted, Clients.COUNT),
                        # Each thread keeps its own idle sockets to each worker. One more for a health check.
                        "sockets to workers of stable": (to_stable, (Clients.COUNT * os.cpu_count() + 1) * len(stable))}

    @classmethod
    def before(cls, daemon):
        """One to compare with: the least of some, because a connection that has ended is open for a moment longer."""
        least, *others = (cls(daemon) for _ in range(10))
        for other in others:
            least.counts = {name: min(count, other.counts[name]) for name, count in least.counts.items()}
        return least

    def excess(self, before):
        """The resources that grew, as text; empty if none."""
        problems = [f"{count} {name}, at most {most}" for name, (count, most) in self.bounded.items() if count > most]
        problems += [f"{self.counts[name]} {name}, {before.counts[name]} before" for name in self.counts
                     if self.counts[name] > before.counts[name]]
        if self.processes != before.processes:
            problems.append(f"processes {self.processes}, before {before.processes}")
        return "; ".join(problems)


class Unharmed(GrayTest):
    """The assertions of every row, for any grayd."""

    @contextlib.contextmanager
    def unharmed(self, daemon, clients, before):
        """During the block stable answers every request, and afterwards nothing is left."""
        served, failed = clients.served, len(clients.failures)
        yield
        try:
            eventually(lambda: not Census(daemon).excess(before), LONGEST_WAIT)
        except AssertionError:
            self.fail("left over: " + Census(daemon).excess(before))
        eventually(lambda: clients.served > served + 20 or clients.failures[failed:], LONGEST_WAIT, "answers of stable")
        self.assertEqual(clients.failures[failed:], [], "requests to stable failed")

    def alone(self, web=None, **launch):
        """A grayd for this row only, with [service.web] as in two_versions() but STABLE as v1 and no v2, `web` laid
        over it; `launch` as in Grayd.launch(). Returns it with its clients and a census."""
        service = merged(two_versions(), {"version": {"v1": STABLE, "v2": None}})
        daemon = self._prepared(merged(service, web or {}), {})
        self._own.append(daemon)
        if "user" in launch:
            os.chown(daemon.folder, launch["user"], -1)
        daemon.launch(**launch).wait_up(2, "v1").wait_answers()
        clients = Clients(daemon)
        self.addCleanup(clients.stop)
        eventually(lambda: clients.served > 50, LONGEST_WAIT, "answers")
        return daemon, clients, Census.before(daemon)


def events_of(daemon, version=None, kind=None):
    names = ["web", version] if version else []
    found = daemon.ctl("events", "-o", "json", "-n", "1000", *names).json()["events"]
    return [event for event in found if kind in (None, event["kind"])]


def wait_event(daemon, version, kind, count=1, timeout=LONGEST_WAIT, **fields):
    """Until there are `count` events of this kind with these fields; returns the last."""
    def found():
        some = [event for event in events_of(daemon, version, kind)
                if all(event.get(name) == value for name, value in fields.items())]
        return some[count - 1] if len(some) >= count else None
    return eventually(found, timeout, f"{count} x {kind} of {version} {fields}")


def configure(daemon, /, **versions):
    """Makes these the versions beside v1."""
    without = merged(daemon.config, {"service": {"web": {"version": None}}})
    daemon.write_config(merged(without, {"service": {"web": {"version": {"v1": STABLE, **versions}}}}))
    result = daemon.ctl("reload")
    if result.code != 0:
        raise AssertionError(f"reload: {result}")


class FaultTest(Unharmed):
    """Rows on one grayd, `shared`, with [service.web] as in two_versions() but STABLE as v1 and no v2."""

    @classmethod
    def setUpClass(cls):
        cls.start_shared(merged(two_versions(), {"version": {"v1": STABLE, "v2": None}}), up=("v1",))
        cls.shared.wait_up(2, "v1")
        cls.clients = Clients(cls.shared)
        cls.addClassCleanup(cls.clients.stop)
        cls.configure(warm={"command": fake(), "ready": ["pipe"]})  # opens what is opened once
        cls.shared.wait_up(1, "warm")
        cls.configure()
        eventually(lambda: not processes_of(cls.shared, "warm") and len(cgroups_of(cls.shared)) <= 2, LONGEST_WAIT,
                   "the version being gone")
        cls.before = Census.before(cls.shared)

    @classmethod
    def configure(cls, **versions):
        configure(cls.shared, **versions)

    @contextlib.contextmanager
    def row(self, told, **versions):
        """Adds the versions; at the end removes them and makes the assertions of every row. `told` maps a version to
        the event, as (kind, cause), that must have been reported once about it."""
        last = self.shared.ctl("events", "-o", "json", "-n", "1").json()["last"]
        with self.unharmed(self.shared, self.clients, self.before):
            self.configure(**versions)
            try:
                yield
                events = [event for event in self.events() if event["sequence"] > last]
                for version, (kind, cause) in told.items():
                    self.assertEqual([event.get("cause") for event in events
                                      if event["kind"] == kind and event.get("version") == version], [cause], version)
            finally:
                self.configure()

    def events(self, version=None, kind=None):
        return events_of(self.shared, version, kind)

    def wait_event(self, *args, **options):
        return wait_event(self.shared, *args, **options)

    def wait_state(self, version, state):
        return eventually(lambda: (found := self.shared.version(version))["state"] == state and found, LONGEST_WAIT,
                          f"{version} being {state}")
