"""Rows 1 to 3 and 10 to 13: a worker that never takes requests."""
import os
import signal
import socket
import sys
import threading

from faults.matrix import NOISE, LONGEST_WAIT, FaultTest, processes_of, shell, then_fake
from harness import GrayTest, eventually, fake, faulty, merged, two_versions

CRASHES = 12  # more than the ends within 300 s that fail a version
MANY = 100  # ends of a version with users
ROUND = 3  # of them in each slot: the third comes 1.5 s after the first
SPREAD = 0.2  # by so much of it a delay is longer or shorter; it is shown in tenths of a second


def delays(events):
    """Seconds until the next start, of worker-backoff events."""
    return [float(event["text"].rsplit("(", 1)[1].split()[0]) for event in events]


def impostor(port, stop):
    """Answers 200 at a port that was meant for a worker."""
    stranger = socket.socket()
    stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    stranger.bind(("127.0.0.1", port))
    stranger.listen(64)
    stranger.settimeout(0.1)

    def serve():
        while not stop.is_set():
            try:
                with stranger.accept()[0] as client:
                    client.recv(4096)
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            except OSError:
                pass
        stranger.close()

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


class Starts(FaultTest):
    def test_fault_01_dies_before_ready(self):
        ends = {"exit0": ("exit 0", "exit 0"), "exit3": ("exit 3", "exit 3"),
                "segv": ("kill -SEGV $$", "signal 11"), "later": ("sleep 0.05; exit 4", "exit 4")}
        told = {version: ("version-failed", "died-before-ready") for version in ends}
        with self.row(told, **{version: {"command": shell(script), "ready": ["pipe"]}
                               for version, (script, _) in ends.items()}):
            for version, (_, how) in ends.items():
                found = self.wait_state(version, "failed")
                self.assertIn(f"died-before-ready ({how})", found["cause"])
                self.assertEqual(len(self.events(version, "worker-started")), 3)
                waits = delays(self.events(version, "worker-backoff"))
                self.assertEqual(len(waits), 2)
                self.assertTrue(0.4 <= waits[0] <= 0.6 and 0.8 <= waits[1] <= 1.2, waits)
                self.assertEqual(self.shared.get(f"/?version={version}").status, 503)

    def test_fault_02_never_ready(self):
        told = {version: ("version-failed", "ready-timeout") for version in ("sleeps", "listens")}
        with self.row(told, sleeps={"command": fake("--no-listener", "--ready", "none"), "ready": ["pipe"],
                                    "ready_timeout": "500ms"},
                      listens={"command": fake("--ready", "none"), "ready": ["pipe"], "ready_timeout": "500ms"}):
            for version in told:
                self.wait_state(version, "failed")
                self.assertEqual(len(self.events(version, "worker-started")), 3)
                self.assertEqual(self.events(version, "worker-ready"), [])

    def test_fault_03_ready_then_crash(self):
        """In many slots at the same time, so that the many exits that fail a version do not take minutes."""
        script = 'printf "READY=1\\n" >&"$GRAY_READY_FD"; exit 5'
        with self.row({"flash": ("version-failed", "exit 5")},
                      flash={"command": shell(script), "ready": ["pipe"], "instances": CRASHES // 2}):
            self.wait_state("flash", "failed")
            exits = self.events("flash", "worker-exited")
            self.assertGreater(len(exits), 10)
            self.assertLessEqual(len(exits), 10 + CRASHES // 2)
            for event in exits[:11]:  # each was heard before it ended
                ready = [other for other in self.events("flash", "worker-ready")
                         if (other["pid"], other["worker"]) == (event["pid"], event["worker"])]
                self.assertEqual(len(ready), 1, event)
                self.assertLess(ready[0]["sequence"], event["sequence"])
            first = [event for event in self.events("flash", "worker-backoff") if event["worker"] == "web@flash#0"]
            waits = delays(first)
            self.assertEqual(waits, sorted(waits))  # to be ready does not reset the back-off

    def test_fault_03_ready_then_crash_a_hundred_times(self):
        """A version that has users never fails. Half of its workers report ready and exit immediately, half live for 10
        ms longer; many slots, so that the doubling delays do not take minutes."""
        script = ('printf "READY=1\\n" >&"$GRAY_READY_FD"\n'
                  'case $GRAY_WORKER_ID in *[02468]) exec sh -c "sleep 0.01; exit 5";; esac\nexit 5')
        slots = -(-MANY // ROUND)
        with self.row({"storm": ("version-crashing", "exit 5")},
                      storm={"command": shell(script), "ready": ["pipe"], "instances": slots, "weight": 1.0}):
            try:
                exits = eventually(lambda: len(found := self.events("storm", "worker-exited")) >= MANY and found,
                                   2 * LONGEST_WAIT, f"{MANY} ends")
                self.assertEqual({event["cause"] for event in exits}, {"exit 5"})
                heard = {(event["pid"], event["worker"]): event["sequence"]
                         for event in self.events("storm", "worker-ready")}
                for event in exits:  # each was heard before it ended
                    self.assertLess(heard[event["pid"], event["worker"]], event["sequence"], event)
                backoffs = self.events("storm", "worker-backoff")
                for slot in range(slots):  # and to be ready does not reset the back-off
                    waits = delays(event for event in backoffs if event["worker"] == f"web@storm#{slot}")
                    for nth, wait in enumerate(waits):
                        usual = 0.5 * 2 ** nth
                        self.assertAlmostEqual(wait, usual, None, f"slot {slot}: {waits}", usual * SPREAD + 0.06)
                self.assertEqual(self.shared.version("storm")["state"], "starting")
                self.assertEqual(self.shared.get(headers={"Cookie": "uid=1"}).status, 200)
            finally:
                self.assertEqual(self.shared.ctl("shift", "web", "storm", "0").code, 0)

    def test_fault_10_closes_its_channels(self):
        node = ("const server = require('node:http').createServer((request, response) => response.end('ok'));"
                "server.listen(process.env.PORT, process.env.HOST,"
                "              () => { process.send('ready'); process.disconnect(); })")
        close = 'printf "READY=1\\n" >&"$GRAY_READY_FD"; eval "exec $GRAY_READY_FD>&-"'
        with self.row({"silent": ("version-failed", "ready-timeout"), "after": ("worker-healthy", None),
                       "node": ("worker-healthy", None)},
                      silent={"command": then_fake('eval "exec $GRAY_READY_FD>&-"', "--ready", "none"),
                              "ready": ["pipe"], "ready_timeout": "500ms"},
                      after={"command": then_fake(close, "--ready", "none"), "ready": ["pipe"]},
                      node={"command": ["node", "-e", node], "ready": ["ipc"]}):
            self.assertIn("it closed its channel (pipe) before it wrote READY=1",
                          self.wait_state("silent", "failed")["cause"])
            for version in ("after", "node"):
                self.wait_state(version, "dark")
                self.assertEqual(self.shared.get(f"/?version={version}").status, 200)
                self.assertEqual(len(self.events(version, "worker-started")), 1)

    def test_fault_11_garbage_on_channels(self):
        with self.row({"noise": ("version-failed", "ready-timeout"), "random": ("version-failed", "ready-timeout")},
                      noise={"command": NOISE, "ready": ["notify", "pipe", "ipc"], "ready_timeout": "2s"},
                      random={"command": fake("--ready", "garbage"), "ready": ["pipe"], "ready_timeout": "500ms"}):
            for version in ("noise", "random"):
                self.wait_state(version, "failed")
                self.assertEqual(self.events(version, "worker-ready"), [])
            log = self.shared.log()
            self.assertEqual(log.count("web@noise#0: the barrier has passed"), 3)
            self.assertEqual(log.count("web@noise#0: all is said"), 3)  # nothing that it wrote was left unread

    def test_fault_12_port_taken(self):
        """(a) A server that cannot share a reserved port gets a free one; (b) other programs make no worker healthy."""
        shy = ("import http.server, os; http.server.HTTPServer.allow_reuse_address = False; http.server.HTTPServer("
               "(os.environ['HOST'], int(os.environ['PORT'])), http.server.SimpleHTTPRequestHandler).serve_forever()")
        with self.row({"shy": ("worker-exited", "died-before-ready")},
                      shy={"command": [sys.executable, "-c", shy], "ready": ["tcp"]},
                      robbed={"command": fake("--no-listener"), "ready": ["pipe"]}):
            address = eventually(lambda: next((worker["address"] for worker in self.shared.version("robbed")["workers"]
                                               if worker["pid"]), None), what="an address")
            stop = threading.Event()
            thread = impostor(int(address.rsplit(":", 1)[1]), stop)
            try:
                eventually(lambda: f"{address} is answered by pid {os.getpid()}" in
                           self.shared.version("robbed")["cause"], what="the impostor being named")
                self.assertEqual(self.shared.get("/?version=robbed").status, 503)
                self.assertEqual(self.events("robbed", "worker-healthy"), [])
            finally:
                stop.set()
                thread.join()
            self.wait_state("shy", "dark")
            self.assertIn("Address already in use", self.shared.log())
            self.assertEqual(len(self.events("shy", "worker-started")), 2)


class Programs(GrayTest):
    """Row 13: an error that a reload refuses makes only its version fail at a start."""

    def test_fault_13_program_that_cannot_be_run(self):
        stable = {"v1": {"command": faulty()}, "v2": None}
        daemon = self._prepared(merged(two_versions(), {"version": stable}), {})
        self._own.append(daemon)

        def file(name, text="", mode=0o755):
            path = os.path.join(daemon.folder, name)
            with open(path, "w") as out:
                out.write(text)
            os.chmod(path, mode)
            return path

        gone = os.path.join(daemon.folder, "gone")
        script = file("script", "#!/bin/sh\nexec " + " ".join(fake()) + "\n", 0o644)
        causes = {
            "missing": ([gone], {}, "ENOENT", gone),
            "mode": ([script], {}, "EACCES", script),
            "interpreter": ([file("interpreter", "#!/nowhere/to/be/found\n")], {}, "ENOENT", "its interpreter"),
            "folder": ([daemon.folder], {}, "EACCES", daemon.folder),
            "format": ([file("format", "\x01\x02\x03")], {}, "ENOEXEC", "a first line like #!/bin/sh"),
            "cwd": (fake(), {"cwd": gone}, "ENOENT", f'the working directory "{gone}"'),
        }
        versions = {name: {"command": command, "ready": ["pipe"], **more}
                    for name, (command, more, _, _) in causes.items()}
        busy = file("busy")
        with open("/bin/sleep", "rb") as source, open(busy, "wb") as writer:
            writer.write(source.read())
            writer.flush()
            versions["busy"] = {"command": [busy, "60"], "ready": ["pipe"], "ready_timeout": "60s"}
            daemon.write_config(merged(daemon.config, {"service": {"web": {"version": versions}}}))
            self._started(daemon, ("v1",))
            for name, (_, _, errno, text) in causes.items():
                with self.subTest(name):
                    found = eventually(lambda: (entry := daemon.version(name))["state"] == "failed" and entry,
                                       what=f"{name} failing")
                    self.assertIn(f"exec:{errno}", found["cause"])
                    self.assertIn(text, found["cause"])
                    events = daemon.ctl("events", "-o", "json", "web", name).json()["events"]
                    self.assertEqual([event["kind"] for event in events].count("worker-started"), 1, events)
                    self.assertEqual([event.get("cause") for event in events if event["kind"] == "version-failed"],
                                     [f"exec:{errno}"])
            eventually(lambda: daemon.version("busy")["workers"][0]["last_exit"] == "resources", what="ETXTBSY")
        eventually(lambda: daemon.version("busy")["workers"][0]["state"] == "spawned" and processes_of(daemon, "busy"),
                   what="the start once nobody writes the file")
        os.chmod(script, 0o755)
        result = daemon.ctl("start", "web", "mode")
        self.assertEqual(result.code, 0, result)
        daemon.wait_answers("/?version=mode")


