"""Rows 4 to 9: a worker that took requests and then fails, does not end, or leaves processes behind."""
import datetime
import os
import signal
import time

from faults.matrix import LONGEST_WAIT, FaultTest, processes_of, shell, then_fake
from harness import SLOWER, eventually, fake, faulty, rss_bytes

GRACE = 3  # seconds of stop.timeout
LAG = 5 * SLOWER  # seconds that a busy machine may add to what would be prompt


def only_first(first, others):
    """A command that is different in the first slot."""
    return shell(f"case $GRAY_WORKER_ID in *'#0') exec {' '.join(first)};; *) exec {' '.join(others)};; esac")


def time_of(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()


class Life(FaultTest):
    def test_fault_04_exits_when_asked(self):
        """One of two workers ends at its first request: repeatable requests succeed, others get a 502."""
        with self.row({}, exits={"command": only_first(faulty("--crash-at", "1"), faulty()), "ready": ["pipe"],
                                 "instances": 2}):
            for count in (1, 2):
                self.shared.wait_healthy(2, "exits")
                asked = 0
                while len(self.events("exits", "worker-exited")) < count and asked < 200:
                    asked += 1
                    self.assertEqual(self.shared.get("/?version=exits").status, 200)
                self.wait_event("exits", "worker-exited", count, cause="exit 3", worker="web@exits#0")
            self.shared.wait_healthy(2, "exits")
            answers = []
            while 502 not in answers and len(answers) < 200:
                response = self.shared.get("/?version=exits", "POST", body=b"1")
                answers.append(response.status)
                if response.status == 502:
                    self.assertEqual(response["x-gray-reason"], "upstream-closed")
            self.assertEqual((set(answers[:-1]) - {200}, answers[-1]), (set(), 502))
            exits = self.events("exits", "worker-exited")
            self.assertEqual({(event["worker"], event["cause"]) for event in exits}, {("web@exits#0", "exit 3")})

    def test_fault_05_hangs(self):
        """Stopped, in a busy loop, or deadlocked: unused within fall x (interval + timeout), and ended on request."""
        health = {"path": "/healthz", "interval": "100ms", "timeout": "1s", "fall": 2, "rise": 1}
        common = {"health": health, "ready": ["pipe"], "stop": {"timeout": "500ms"}}
        spin = ("import http.server, os, threading\n"
                "class Handler(http.server.BaseHTTPRequestHandler):\n"
                "    def log_message(self, *ignored): pass\n"
                "    def do_GET(self):\n"
                "        while self.path == '/spin': pass\n"
                "        self.send_response(200)\n"
                "        self.send_header('Content-Length', '0')\n"
                "        self.end_headers()\n"
                "server = http.server.HTTPServer((os.environ['HOST'], int(os.environ['PORT'])), Handler)\n"
                "os.write(int(os.environ['GRAY_READY_FD']), b'READY=1\\n')\n"
                "server.serve_forever()\n")
        told = {version: ("worker-unhealthy", "health-check") for version in ("stopped", "spins", "locked")}
        with self.row(told, stopped={**common, "command": faulty()},
                      spins={**common, "command": ["python3", "-c", spin]},
                      locked={**common, "command": faulty("--hang-at", "1")}):
            self.shared.wait_up(1, *told)
            with self.shared.client() as spinning, self.shared.client() as locked:
                os.kill(self.shared.pids("stopped")[0], signal.SIGSTOP)
                spinning.send("GET /spin HTTP/1.1\r\nHost: a\r\nX-Version: spins\r\n\r\n")
                locked.send("GET / HTTP/1.1\r\nHost: a\r\nX-Version: locked\r\n\r\n")
                started = time.monotonic()
                for version in told:
                    self.wait_event(version, "worker-unhealthy")
                self.assertLess(time.monotonic() - started, 2 * (0.1 + 1) + LAG)
                for version in told:
                    answer = self.shared.get("/", headers={"X-Version": version})
                    self.assertEqual((answer.status, answer["x-gray-reason"]), (503, "version-down"))
                for version in told:
                    self.assertEqual(self.shared.ctl("stop", "web", version).code, 0)
            ends = {version: self.wait_event(version, "worker-exited") for version in told}
            self.assertEqual({version: event["cause"] for version, event in ends.items()},
                             {"spins": "stopped", "stopped": "stopped", "locked": "stop-timeout"})
            self.assertIn("signal 15", ends["spins"]["text"])  # a gentle signal reaches who only spins
            self.assertIn("exit 0", ends["stopped"]["text"])   # and, with SIGCONT behind it, who was stopped
            self.assertIn("signal 9", ends["locked"]["text"])

    def test_fault_06_ignores_sigterm(self):
        """Killed after stop.timeout and not before, the first process and what it leaves in its group; a worker that
        ends earlier is not waited for."""
        grace = {"ready": ["pipe"], "stop": {"timeout": f"{GRACE}s"}}
        trapped = then_fake("(trap '' TERM; sleep 300) &")
        told = {version: ("worker-exited", "stop-timeout") for version in ("leader", "child")}
        with self.row({**told, "polite": ("worker-exited", "stopped")},
                      leader={**grace, "command": fake("--ignore-term")}, child={**grace, "command": trapped},
                      polite={**grace, "command": fake()}):
            self.shared.wait_up(1, "leader", "child", "polite")
            took = {}
            for version in ("leader", "child", "polite"):
                asked = time.time()
                self.assertEqual(self.shared.ctl("stop", "web", version).code, 0)
                took[version] = time_of(self.wait_event(version, "worker-exited")) - asked
                self.assertEqual(processes_of(self.shared, version), {}, f"{version} was stopped")
            for version in told:
                self.assertGreaterEqual(took[version], GRACE)
                self.assertLess(took[version], GRACE + LAG)
            self.assertLess(took["polite"], GRACE)
            text = self.wait_event("leader", "worker-exited")["text"]
            self.assertIn(f"(signal 9): it did not end within {GRACE}s of SIGTERM and was killed", text)
            self.assertRegex(self.wait_event("child", "worker-exited")["text"],
                             rf"\(signal 15\): its first process ended, but pid \d+ \(sleep\) did not within {GRACE}s")
            self.assertIn("signal 15", self.wait_event("polite", "worker-exited")["text"])

    def test_fault_07_double_fork(self):
        """grayd does not adopt it, whatever MAINPID it sends: all of it is killed, there is never a second copy."""
        mainpid = ("import os, socket, time\n"
                   "if os.fork(): time.sleep(0.2); os._exit(0)\n"
                   "os.setsid()\n"
                   "if os.fork(): os._exit(0)\n"
                   "sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
                   "sock.sendto(f'MAINPID={os.getpid()}\\nREADY=1'.encode(), os.environ['NOTIFY_SOCKET'])\n"
                   "time.sleep(300)\n")
        told = {version: ("version-failed", "daemonised") for version in ("daemon", "mainpid")}
        with self.row(told, daemon={"command": fake("--daemonise", "--ready", "none"), "ready": ["pipe"]},
                      mainpid={"command": ["python3", "-c", mainpid], "ready": ["notify"]}):
            most, failed = 0, set()
            while failed != set(told):
                for version in told:
                    generations = {env["GRAY_GENERATION"] for env in processes_of(self.shared, version).values()}
                    most = max(most, len(generations))
                    if self.shared.version(version)["state"] == "failed":
                        failed.add(version)
            self.assertLessEqual(most, 1, "two copies were alive at once")
            for version in told:
                self.assertEqual(len(self.events(version, "worker-started")), 3)
                eventually(lambda: not processes_of(self.shared, version), what="no process of it being left")

    def test_fault_08_leaves_grandchildren(self):
        """Also ones in separate sessions and ones that hold the listening socket."""
        heir = ("import os, socket, subprocess, sys, time\n"
                "sock = socket.socket()\n"
                "sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
                "sock.bind((os.environ['HOST'], int(os.environ['PORT'])))\n"
                "sock.listen(64)\n"
                "sock.set_inheritable(True)\n"
                "subprocess.Popen(['sleep', '300'], close_fds=False, start_new_session=True)\n"
                "os.write(int(os.environ['GRAY_READY_FD']), b'READY=1\\n')\n"
                "while True: sock.accept()[0].close()\n")
        versions = {
            "group": {"command": fake("--grandchild", "group"), "ready": ["pipe"]},
            "setsid": {"command": fake("--grandchild", "setsid"), "ready": ["pipe"]},
            "orphan": {"command": faulty("--fork-grandchild"), "ready": ["pipe"]},
            "heir": {"command": ["python3", "-c", heir], "ready": ["pipe"]},
        }
        with self.row({version: ("worker-exited", "signal 9") for version in versions}, **versions):
            self.shared.wait_up(1, *versions)
            before = {version: processes_of(self.shared, version) for version in versions}
            for version in versions:
                self.assertEqual(len(before[version]), 2, version)
                os.kill(self.shared.pids(version)[0], signal.SIGKILL)
            for version in versions:
                started = self.wait_event(version, "worker-started", 2)
                left = {pid for pid in before[version] if pid in processes_of(self.shared, version)}
                self.assertEqual(left, set(), f"{version} was started again beside what it had left")
                self.assertNotIn(started["pid"], before[version])
            self.shared.wait_up(1, *versions)

    def test_fault_09_floods_stdout(self):
        """With lines, without any line end, with NULs: memory stays constant, and the writer never waits for long."""
        versions = {"lines": then_fake("yes &"), "endless": then_fake("tr '\\0' x </dev/zero &"),
                    "nuls": then_fake("cat /dev/zero &")}
        master = self.shared.process.pid
        memory = rss_bytes(master)
        with self.row({version: ("worker-healthy", None) for version in versions},
                      **{version: {"command": command, "ready": ["pipe"]} for version, command in versions.items()}):
            self.shared.wait_up(1, *versions, timeout=60)  # each flood takes a processor from the workers that start
            served = self.clients.served
            eventually(lambda: self.clients.served > served + 500, LONGEST_WAIT, "answers under the flood")
            for version in versions:
                self.assertEqual(self.shared.get(f"/?version={version}").status, 200)
                writers = [pid for pid in processes_of(self.shared, version) if pid not in self.shared.pids(version)]
                written = {pid: written_bytes(pid) for pid in writers}
                eventually(lambda: all(written_bytes(pid) > count for pid, count in written.items()),
                           what=f"{version} writing on")
            self.assertLess(rss_bytes(master) - memory, 16 << 20)
            self.assertLess(sorted(self.clients.times[-500:])[250], 0.5 * SLOWER)
            self.assertEqual(self.shared.ctl("status").code, 0)


def written_bytes(pid):
    with open(f"/proc/{pid}/io") as file:
        return int(next(line for line in file if line.startswith("wchar")).split()[1])
