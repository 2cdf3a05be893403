"""grayctl against a running grayd: its output, its effects and its exit codes."""
import json
import os
import socket
import threading
import time

from harness import SLOWER, GrayTest, eventually, fake, faulty, merged, run_program, two_versions

WORKER_KEYS = {"id", "pid", "state", "address", "ready_by", "restarts", "last_exit", "rss_bytes", "uptime_s"}
VERSION_KEYS = {"name", "weight", "state", "requests", "errors", "in_flight", "sockets", "queue", "workers"}
HEAP = 64 << 20


def heaps_of_threads(pid):
    """The number of heaps of the allocator beside the first: glibc reserves 64 MiB for each, at a multiple of that."""
    with open(f"/proc/{pid}/maps") as file:
        ranges = [[int(bound, 16) for bound in line.split()[0].split("-")] for line in file]
    reserved = {begin for begin, _ in ranges if begin % HEAP == 0}
    return len([begin for begin in reserved if any(end == begin + HEAP for _, end in ranges)])


def three_versions():
    version = {"command": fake(), "ready": ["pipe"]}
    return two_versions(version={"v3": version})


class Status(GrayTest):
    @classmethod
    def setUpClass(cls):
        cls.start_shared(two_versions(version={"v2": {"weight": 5.0}}))

    def test_the_json_has_the_names_of_the_contract(self):
        status = self.shared.status()
        self.assertEqual(status["schema_version"], 1)
        service, = status["services"]
        self.assertEqual((service["name"], service["stable"]), ("web", "v1"))
        self.assertEqual([version["name"] for version in service["versions"]], ["v1", "v2"])
        for version, weight in zip(service["versions"], (95, 5)):
            self.assertLessEqual(VERSION_KEYS, set(version))
            self.assertEqual(version["weight"], weight)
            self.assertEqual(version["state"], "serving")
            self.assertEqual(version["queue"], {**version["queue"], "waiting": 0, "limit": 256})
            for worker in version["workers"]:
                self.assertLessEqual(WORKER_KEYS, set(worker))
                self.assertIn(worker["state"], ("ready", "healthy"))

    def test_the_memory_of_every_worker_is_shown(self):
        # A process that has just been started is smaller.
        eventually(lambda: all(worker["rss_bytes"] > 1 << 20 for version in ("v1", "v2")
                               for worker in self.shared.version(version)["workers"]), what="the size of each worker")

    def test_the_table_is_readable(self):
        result = self.shared.ctl("status")
        self.assertEqual((result.code, result.err), (0, ""))
        for word in ("web", "v1", "v2", "serving"):
            self.assertIn(word, result.out)
        self.assertNotIn("\x1b", result.out)  # not a terminal: no colour

    def test_health_is_ok(self):
        self.assertEqual(self.shared.ctl("health").code, 0)
        self.assertEqual(self.shared.ctl("health", "-o", "json").json()["schema_version"], 1)

    def test_threads_that_answer_operators_have_no_separate_heap(self):
        """Otherwise the master would need eight times the memory of the longest answer."""
        askers = [threading.Thread(target=self.shared.ctl, args=("events", "-n", "1000")) for _ in range(16)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
        self.assertEqual(heaps_of_threads(self.shared.process.pid), 0)

    def test_requests_and_errors_are_counted(self):
        before = self.shared.version("v2")
        for code in ("500", "503", "404", "200"):
            self.shared.get(f"/status?code={code}&version=v2")
        self.shared.get("/garbage?version=v2")
        after = self.shared.version("v2")
        self.assertEqual(after["requests"] - before["requests"], 5)
        self.assertEqual(after["errors"] - before["errors"], 3)

    def test_usage_errors_are_2(self):
        self.assertEqual(self.shared.ctl("nonsense").code, 2)
        self.assertEqual(self.shared.ctl("shift", "web").code, 2)
        self.assertEqual(self.shared.ctl().code, 2)


class Shift(GrayTest):
    @classmethod
    def setUpClass(cls):
        cls.start_shared(three_versions())

    def test_a_shift_is_visible_to_the_very_next_request(self):
        """The machine may be busy with other things, so the quickest ones count; waiting would slow all of them."""
        times = []
        with self.shared.client() as client:
            for percent, version in (("100", "v2"), ("0", "v1")) * 5:
                started = time.monotonic()
                result = self.shared.ctl("shift", "web", "v2", percent)
                self.assertEqual(result.code, 0, result)
                times.append(time.monotonic() - started)
                self.assertEqual(client.ask("/", headers={"Cookie": "uid=1"})["x-gray-version"], version)
        self.assertLess(sorted(times)[2], 0.1, json.dumps(times))

    def test_a_refused_shift_has_a_reason(self):
        self.assertEqual(self.shared.ctl("shift", "web", "v2", "5").code, 0)
        for arguments, code, words in (
                (("wbe", "v2", "5"), 2, 'did you mean "web"'),
                (("web", "v22", "5"), 2, 'did you mean "v2"'),
                (("web", "v1", "5"), 2, "stable"),
                (("web", "v3", "5"), 3, "v2"),
                (("web", "v2", "101"), 2, "100"),
                (("web", "v2", "-1"), 2, ""),
                (("web", "v2", "many"), 2, "")):
            result = self.shared.ctl("shift", *arguments)
            self.assertEqual(result.code, code, (arguments, result))
            self.assertIn(words, result.err)
            self.assertEqual(result.out, "")
        self.assertEqual(self.shared.version("v2")["weight"], 5)
        self.assertEqual(self.shared.ctl("shift", "web", "v2", "0").code, 0)

    def test_json_answers_are_json(self):
        result = self.shared.ctl("shift", "web", "v2", "2.5", "-o", "json")
        self.assertEqual(result.json()["schema_version"], 1)
        self.assertEqual(self.shared.version("v2")["weight"], 2.5)
        self.assertEqual(self.shared.ctl("shift", "web", "v2", "0").code, 0)


class State(GrayTest):
    def test_weights_survive_a_restart_and_status_shows_the_drift(self):
        daemon = self.start(two_versions(version={"v2": {"weight": 5.0}}))
        self.assertEqual(daemon.ctl("shift", "web", "v2", "30").code, 0)
        self.assertEqual(daemon.stop(), 0)
        daemon.launch().wait_up(1, "v1", "v2")
        self.assertEqual(daemon.version("v2")["weight"], 30)
        table = daemon.ctl("status").out
        self.assertIn("30", table)
        self.assertRegex(table, r"(?i)drift|configured|file")

    def test_weights_survive_a_kill(self):
        daemon = self.start()
        self.assertEqual(daemon.ctl("shift", "web", "v2", "7").code, 0)
        daemon.kill()
        daemon.launch().wait_up(1, "v1", "v2")
        self.assertEqual(daemon.version("v2")["weight"], 7)


class Reload(GrayTest):
    def setUp(self):
        self.daemon = self.start()

    def reload(self, changes):
        self.daemon.write_config(merged(self.daemon.config, changes))
        return self.daemon.ctl("reload")

    def test_a_reload_without_changes_does_nothing(self):
        before = self.daemon.pids("v1") + self.daemon.pids("v2")
        self.assertEqual(self.daemon.ctl("reload").code, 0)
        self.assertEqual(self.daemon.pids("v1") + self.daemon.pids("v2"), before)

    def test_a_new_version_is_started_and_an_old_one_removed(self):
        version = {"command": fake(), "ready": ["pipe"]}
        self.assertEqual(self.reload({"service": {"web": {"version": {"v3": version}}}}).code, 0)
        self.daemon.wait_up(1, "v3")
        self.assertEqual(self.daemon.wait_answers("/?version=v3").text, "v3\n")
        del self.daemon.config["service"]["web"]["version"]["v3"]
        self.assertEqual(self.reload({}).code, 0)
        self.assertEqual(self.daemon.wait_answers("/?version=v3").text, "v1\n")

    def test_a_bad_file_changes_nothing(self):
        result = self.reload({"service": {"web": {"stabel": "v2"}}})
        self.assertEqual(result.code, 8, result)
        self.assertIn('did you mean "stable"', result.err)
        self.assertEqual(self.daemon.get().status, 200)

    def test_a_change_that_needs_a_restart_is_refused(self):
        for change in ({"listen": {"http": ["127.0.0.1:1"]}}, {"listen": {"admin": "other.sock"}},
                       {"router": {"threads": 1}}):
            config = self.daemon.config
            result = self.reload(change)
            self.assertEqual(result.code, 3, (change, result))
            self.assertIn("restart", result.err)
            self.daemon.write_config(config)

    def test_removing_a_weighted_version_is_refused(self):
        self.assertEqual(self.daemon.ctl("shift", "web", "v2", "5").code, 0)
        del self.daemon.config["service"]["web"]["version"]["v2"]
        self.assertEqual(self.reload({}).code, 3)
        self.assertEqual(self.daemon.get("/?version=v2").text, "v2\n")

    def test_a_changed_command_is_a_rolling_restart(self):
        before = self.daemon.pids("v1")
        changed = {"command": fake("--ready", "pipe"), "env": {"NEW": "1"}}
        self.assertEqual(self.reload({"service": {"web": {"version": {"v1": changed}}}}).code, 0)
        with self.daemon.client() as client:
            deadline = time.monotonic() + 15
            while client.ask("/")["x-worker-pid"] == str(before[0]):
                self.assertLess(time.monotonic(), deadline, "still the old worker")


class NoDaemon(GrayTest):
    def test_no_daemon_is_7(self):
        for verb in (("status",), ("shift", "web", "v2", "5"), ("health",), ("reload",)):
            result = run_program("grayctl", "--socket", "/nonexistent/grayd.sock", *verb)
            self.assertEqual(result.code, 7, result)
            self.assertIn("/nonexistent/grayd.sock", result.err)

    def test_config_check_needs_no_daemon(self):
        daemon = self.start(up=())
        self.assertEqual(run_program("grayctl", "config", "check", daemon.config_file).code, 0)


class UselessCallers(GrayTest):
    def connect(self, daemon, sent=b""):
        client = socket.socket(socket.AF_UNIX)
        client.connect(daemon.admin)
        client.sendall(sent)
        self.addCleanup(client.close)

    def test_silent_and_half_written_requests_delay_no_status(self):
        daemon = self.start()
        for _ in range(100):
            self.connect(daemon)
            self.connect(daemon, b"GET /v1/sta")
        times = []
        for _ in range(5):
            started = time.monotonic()
            self.assertEqual(daemon.ctl("status").code, 0)
            times.append(time.monotonic() - started)
        self.assertLess(min(times), 0.2 * SLOWER)
        descriptors = f"/proc/{daemon.process.pid}/fd"
        for _ in range(300):
            self.connect(daemon)
        self.assertEqual(daemon.ctl("status").code, 0)
        self.assertLess(len(os.listdir(descriptors)), 256 + 150)


class UnderLoad(GrayTest):
    def test_status_is_quick_under_400_busy_connections(self):
        """As above, the quickest ones count."""
        version = {"command": faulty("--body", "64", "--delay", "20", "--threads", "80"), "ready": ["pipe"]}
        daemon = self.start(two_versions(version={"v1": version, "v2": version}, limits={"queue": 1000}))
        clients = [daemon.client() for _ in range(400)]
        stop = threading.Event()

        def press(mine):
            while not stop.is_set():
                for client in mine:
                    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                for client in mine:
                    client.response()

        threads = [threading.Thread(target=press, args=(clients[i::4],)) for i in range(4)]
        for thread in threads:
            thread.start()
        times, idle_times = [], []
        for _ in range(10):
            for command, taken in ((("status", "-o", "json"), times), (("--version",), idle_times)):
                started = time.monotonic()
                self.assertEqual(daemon.ctl(*command).code, 0)
                taken.append(time.monotonic() - started)
        stop.set()
        for thread in threads:
            thread.join()
        for client in clients:
            client.close()
        # A program that does nothing shows what the machine needs for any.
        self.assertLess(sorted(times)[2], max(0.1, 6 * sorted(idle_times)[2]), json.dumps([times, idle_times]))
