"""What an operator sees: events, logs, metrics, the access log, drift."""
import glob
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import threading
import unittest

from harness import BUILD, SLOWER, GrayTest, eventually, fake, free_port, merged, rss_bytes, run_program, two_versions


def events_of(daemon, *args):
    result = daemon.ctl("events", "-o", "json", "-n", "1000", *args)
    if result.code != 0:
        raise AssertionError(f"grayctl events: {result}")
    return result.json()["events"]


def kinds_of(events):
    return [event["kind"] for event in events]


def wait_event(daemon, kind, count=1, **fields):
    """Waits until there are `count` events of a kind with these fields; returns the last."""
    def found():
        some = [event for event in events_of(daemon) if event["kind"] == kind and
                all(event.get(name) == value for name, value in fields.items())]
        return some[-1] if len(some) >= count else None
    return eventually(found, what=f"{count} events {kind} {fields}")


def say(daemon, text, to="out", version="v1"):
    data = text if isinstance(text, bytes) else text.encode()
    answer = daemon.get(f"/say?version={version}&to={to}&hex={data.hex()}")
    if answer.status != 200:
        raise AssertionError(f"the worker did not say it: {answer}")


def lines_of(daemon, *args):
    result = daemon.ctl("logs", "-o", "json", *args)
    if result.code != 0:
        raise AssertionError(f"grayctl logs: {result}")
    return result.json()["lines"]


def wait_line(daemon, text):
    return eventually(lambda: next((line for line in lines_of(daemon) if line["text"] == text), None),
                      what=f"a line {text!r}")


def ask_admin(daemon, path):
    """Sends a GET to the admin socket and returns the connection without waiting for the answer."""
    connection = http.client.HTTPConnection("grayd")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.settimeout(30 * SLOWER)
    connection.sock.connect(daemon.admin)
    connection.request("GET", path)
    return connection


class Following:
    """A grayctl that keeps running, and its lines as they arrive."""

    def __init__(self, daemon, *args):
        self.process = subprocess.Popen([os.path.join(BUILD, "grayctl"), "--socket", daemon.admin, *args],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")),
                                       daemon=True)
        self.reader.start()

    def wait(self, part):
        return eventually(lambda: next((line for line in list(self.lines) if part in line), None), what=f"{part!r}")

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


class Events(GrayTest):
    def test_each_incident_is_one_event_across_a_restart_of_grayd(self):
        daemon = self.start()
        pid = daemon.pids("v1")[0]
        os.kill(pid, signal.SIGKILL)
        wait_event(daemon, "worker-healthy", 2, worker="web@v1#0")
        self.assertEqual(daemon.ctl("shift", "web", "v2", "20").code, 0)
        self.assertEqual(daemon.ctl("reload").code, 0)
        daemon.process.send_signal(signal.SIGUSR1)
        wait_event(daemon, "access-log-reopened")

        events = events_of(daemon)
        self.assertEqual([event["sequence"] for event in events], list(range(1, len(events) + 1)))
        mine = [event for event in events if event.get("worker") == "web@v1#0"]
        self.assertEqual(kinds_of(mine), ["worker-started", "worker-ready", "worker-healthy", "worker-exited",
                                          "worker-backoff", "worker-started", "worker-ready", "worker-healthy"])
        self.assertEqual((mine[1]["cause"], mine[3]["cause"], mine[3]["pid"]), ("pipe", "signal 9", pid))
        for kind in ("grayd-started", "router-started", "router-ready", "shifted", "reloaded", "access-log-reopened"):
            self.assertEqual(kinds_of(events).count(kind), 1, kind)
        shifted = next(event for event in events if event["kind"] == "shifted")
        self.assertEqual((shifted["service"], shifted["version"]), ("web", "v2"))
        self.assertGreater(shifted["pid"], 1)
        self.assertIn("takes 20%", shifted["text"])

        self.assertEqual(daemon.stop(), 0)
        daemon.launch().wait_up(1, "v1", "v2")
        later = events_of(daemon)
        self.assertEqual(later[:len(events)], events)
        self.assertEqual([event["sequence"] for event in later], list(range(1, len(later) + 1)))
        since = kinds_of(later[len(events):])
        for kind in ("grayd-stopping", "router-drained", "grayd-started"):
            self.assertEqual(since.count(kind), 1, since)
        self.assertEqual(since.count("worker-exited"), 2)

    def test_the_cause_of_a_failure_is_correct(self):
        daemon = self.start(two_versions(version={"v2": {"command": fake("--exit", "3")}}), up=("v1",))
        wait_event(daemon, "version-failed", version="v2")
        pid = daemon.router()
        os.kill(pid, signal.SIGKILL)
        died = wait_event(daemon, "router-died")
        self.assertEqual((died["pid"], died["cause"]), (pid, "signal 9"))
        ends = [event for event in events_of(daemon, "web", "v2") if event["kind"] == "worker-exited"]
        self.assertEqual([end["cause"] for end in ends], ["died-before-ready"] * 3)
        self.assertIn("exit 3", ends[0]["text"])

    def test_the_causes_of_a_missing_program_and_of_one_that_is_never_ready(self):
        web = two_versions(version={"v2": {"command": ["/nonexistent/program"]},
                                    "v3": {"command": ["sleep", "100"], "ready": ["pipe"], "ready_timeout": "200ms"}})
        daemon = self.start(web, up=("v1",))
        wait_event(daemon, "version-failed", version="v2")
        wait_event(daemon, "version-failed", version="v3")
        wait_event(daemon, "worker-exited", version="v2", cause="exec:ENOENT")
        wait_event(daemon, "worker-exited", 3, version="v3", cause="ready-timeout")

    def test_a_refused_reload_has_a_reason(self):
        daemon = self.start()
        daemon.write_config({**daemon.config, "router": {"threads": 1}})
        self.assertEqual(daemon.ctl("reload").code, 3)
        self.assertIn("router.threads", wait_event(daemon, "reload-refused", cause="conflict")["text"])
        with open(daemon.config_file, "a") as file:
            file.write("nonsense\n")
        daemon.process.send_signal(signal.SIGHUP)
        wait_event(daemon, "reload-refused", cause="bad-config")

    def test_the_table_fits_the_terminal(self):
        daemon = self.start()
        for columns in ("60", "80", "132"):
            result = run_program("grayctl", "--socket", daemon.admin, "events", env={**os.environ, "COLUMNS": columns})
            self.assertEqual((result.code, result.err), (0, ""))
            self.assertIn("worker-healthy", result.out)
            self.assertLessEqual(max(map(len, result.out.splitlines())), int(columns))
        self.assertEqual(len(daemon.ctl("events", "-n", "2").out.splitlines()), 2)

    def test_following_shows_new_events_and_ends_with_grayd(self):
        daemon = self.start()
        follower = Following(daemon, "events", "-f", "-n", "0", "-o", "json")
        self.addCleanup(follower.end)
        eventually(lambda: daemon.ctl("shift", "web", "v2", "7").code == 0 and follower.lines, what="an event")
        self.assertEqual(json.loads(follower.wait("takes 7%"))["kind"], "shifted")
        started = daemon.stop()
        self.assertEqual(started, 0)
        follower.wait("grayd-stopping")
        self.assertNotEqual(follower.process.wait(20 * SLOWER), 0)

    def test_followers_are_limited_and_the_other_verbs_get_through(self):
        daemon = self.start()
        wait_event(daemon, "worker-healthy", 2)  # the last events of a start: a later one would end the waiting
        last = events_of(daemon)[-1]["sequence"]
        waiting = [ask_admin(daemon, f"/v1/events?after={last}&wait_ms=5000") for _ in range(5)]
        answered, _, _ = select.select([connection.sock for connection in waiting], [], [], 10 * SLOWER)
        refused, = [connection for connection in waiting if connection.sock in answered]  # any of the five
        waiting.remove(refused)
        answer = refused.getresponse()
        self.assertEqual(answer.status, 409)
        self.assertIn("too many callers use -f", json.load(answer)["error"])
        refused.close()
        self.assertEqual(daemon.ctl("status").code, 0)
        self.assertEqual(daemon.ctl("shift", "web", "v2", "3").code, 0)
        for connection in waiting:
            self.assertEqual(kinds_of(json.load(connection.getresponse())["events"]), ["shifted"])
            connection.close()

    def test_an_unknown_name_is_2_with_the_nearest_one(self):
        daemon = self.start()
        for verb in ("events", "logs"):
            result = daemon.ctl(verb, "wbe")
            self.assertEqual(result.code, 2)
            self.assertIn('did you mean "web"?', result.err)
            self.assertEqual(daemon.ctl(verb, "web", "v77").code, 2)
        result = daemon.ctl("logs", "--worker", "web@v1#9")
        self.assertEqual(result.code, 2)
        self.assertIn("web@v1#0", result.err)

    def test_damaged_and_full_files_do_no_harm(self):
        daemon = self.start()
        path = os.path.join(daemon.folder, "state", "events.log")
        before = events_of(daemon)
        self.assertEqual(daemon.stop(), 0)
        with open(path, "ab") as file:
            file.write(b"\xff nonsense\n{}\n{\"sequence\": 1, \"ti")
        daemon.launch()
        eventually(lambda: daemon.ctl("health").code == 0, what="the second start")
        self.assertEqual(events_of(daemon)[:len(before)], before)
        wait_event(daemon, "worker-healthy", 4)  # nothing else happens by itself from here on
        os.rename(path, path + ".away")
        os.mkdir(path)
        daemon.ctl("shift", "web", "v2", "1")
        daemon.ctl("shift", "web", "v2", "2")
        eventually(lambda: "grayd_events_lost_total 2" in daemon.ctl("metrics").out, what="the loss")
        self.assertEqual(kinds_of(events_of(daemon))[-2:], ["shifted", "shifted"])
        os.rmdir(path)
        daemon.ctl("shift", "web", "v2", "3")
        self.assertIn("2 events are missing", wait_event(daemon, "events-lost")["text"])


class Logs(GrayTest):
    def test_lines_of_all_workers_and_of_those_that_ended(self):
        daemon = self.start()
        say(daemon, "hello from one\n", "out", "v1")
        say(daemon, "oh no\n", "err", "v2")
        wait_line(daemon, "oh no")
        lines = [line for line in lines_of(daemon) if line["text"] in ("hello from one", "oh no")]
        self.assertEqual([(line["worker"], line["stream"]) for line in lines],
                         [("web@v1#0", "stdout"), ("web@v2#0", "stderr")])
        self.assertLess(lines[0]["sequence"], lines[1]["sequence"])
        self.assertEqual(lines_of(daemon, "web", "v2")[-1]["text"], "oh no")
        self.assertEqual([line["text"] for line in lines_of(daemon, "--worker", "web@v1#0")], ["hello from one"])
        self.assertEqual(lines_of(daemon, "-n", "1", "web")[0]["text"], "oh no")
        os.kill(daemon.pids("v2")[0], signal.SIGKILL)
        wait_event(daemon, "worker-healthy", 2, worker="web@v2#0")
        self.assertEqual(lines_of(daemon, "web", "v2")[0]["text"], "oh no")
        text = daemon.ctl("logs", "web").out
        self.assertIn("web@v1#0  out  hello from one\n", text)
        self.assertIn("web@v2#0  err  oh no\n", text)

    def test_control_characters_do_not_reach_the_terminal(self):
        daemon = self.start()
        say(daemon, b"a\x1b]0;title\x07b\xc2\x9b2Jc\x00d\xff\n")
        say(daemon, "end\n")
        wait_line(daemon, "end")
        out = daemon.ctl("logs").out
        for character in "\x1b\x07\x00\x9b":
            self.assertNotIn(character, out)

    def test_following_shows_new_lines(self):
        daemon = self.start()
        say(daemon, "before\n")
        wait_line(daemon, "before")
        follower = Following(daemon, "logs", "-f", "web", "v1")
        self.addCleanup(follower.end)
        follower.wait("before")
        say(daemon, "now\n")
        follower.wait("web@v1#0  out  now")
        say(daemon, "\n".join(f"line {i}" for i in range(300)) + "\n")
        follower.wait("line 299")
        shown = [line for line in follower.lines if "  line " in line]
        if len(shown) < 300:  # more lines at once than are kept
            missing = follower.wait("lines of web@v1#0 are missing")
            self.assertEqual(len(shown) + int(missing[1:].split()[0]), 300)

    def test_a_stopped_master_loses_no_line(self):
        daemon = self.start(up=("v1",))
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            for i in range(50):  # the router continues to serve, and the pipe holds the unread bytes
                say(daemon, f"line {i}\n")
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        wait_line(daemon, "line 49")
        self.assertEqual([line["text"] for line in lines_of(daemon)], [f"line {i}" for i in range(50)])
        self.assertNotIn("worker-unhealthy", kinds_of(events_of(daemon)))

    def test_a_gigabyte_without_a_line_end_costs_no_memory(self):
        daemon = self.start(two_versions(limits={"request_timeout": "120s"}), up=("v1",))
        with daemon.client(timeout=120 * SLOWER) as client:
            client.ask("/blob?mb=100&version=v1")
            wait_line(daemon, "the end")
            before = rss_bytes(daemon.process.pid)
            client.ask("/blob?mb=1024&version=v1")
        eventually(lambda: len([line for line in lines_of(daemon) if line["text"] == "the end"]) == 2)
        self.assertLess(rss_bytes(daemon.process.pid) - before, 16 << 20)
        first = lines_of(daemon)[0]
        self.assertEqual((len(first["text"]), first["cut"]), (4096, True))


class Metrics(GrayTest):
    def test_promtool_finds_no_error(self):
        daemon = self.start(two_versions(version={"v2": {"weight": 5.0}}))
        for path in ("/", "/status?code=500", "/status?code=404", "/?version=v2"):
            daemon.get(path)
        text = daemon.ctl("metrics").out
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual((checked.returncode, checked.stdout), (0, ""))
        for line in ('grayd_requests_total{service="web",version="v1",code="5xx"} 1',
                     'grayd_request_duration_seconds_count{service="web",version="v2"} 1',
                     'grayd_version_weight_ratio{service="web",version="v2",kind="desired"} 0.05',
                     "grayd_config_last_reload_successful 1"):
            self.assertIn(line + "\n", text)

    def scrape(self, port, path="/metrics"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30 * SLOWER)
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    def test_only_metrics_are_served_over_tcp(self):
        port = free_port()
        daemon = self.start(listen={"metrics": f"127.0.0.1:{port}"})
        status, text = self.scrape(port)
        self.assertEqual(status, 200)
        self.assertIn("grayd_build_info", text)
        for path in ("/", "/v1/status", "/healthz", "/metricsx"):
            self.assertEqual(self.scrape(port, path)[0], 404)
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
        self.assertEqual(self.scrape(port)[0], 200)
        self.assertEqual(daemon.ctl("status").code, 0)
        for client in silent:
            client.close()
        daemon.write_config({**daemon.config, "listen": {**daemon.config["listen"], "metrics": "127.0.0.1:1"}})
        refused = daemon.ctl("reload")
        self.assertEqual(refused.code, 3)
        self.assertIn("listen.metrics needs a restart", refused.err)

    def test_a_port_in_use_is_an_error_at_the_start(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            daemon = self.start(up=(), listen={"metrics": f"127.0.0.1:{port}"})
            self.assertEqual(daemon.process.wait(20 * SLOWER), 1)
            self.assertIn(f"127.0.0.1:{port} is in use", daemon.log())
            self.assertIn("change [listen] metrics", daemon.log())


class AccessLog(GrayTest):
    def test_each_request_is_one_whole_line_in_one_file_while_the_log_rotates(self):
        daemon = self.start(up=("v1",))
        path = os.path.join(daemon.folder, "access.log")
        answered, lock, done = [], threading.Lock(), threading.Event()

        def ask_on():
            ids = []
            with daemon.client() as client:
                while not done.is_set():
                    ids.append(client.ask("/")["x-request-id"])
            with lock:
                answered.extend(ids)
        threads = [threading.Thread(target=ask_on) for _ in range(16)]
        for thread in threads:
            thread.start()
        for turn in range(30):
            eventually(lambda: os.path.exists(path) and os.path.getsize(path) > 0, what="a line in the new log")
            os.rename(path, f"{path}.{turn}")
            daemon.process.send_signal(signal.SIGUSR1)
            wait_event(daemon, "access-log-reopened", turn + 1)
        done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(daemon.stop(), 0)
        lines = []
        for file in glob.glob(path + "*"):
            with open(file) as log:
                lines += [json.loads(line)["request_id"] for line in log]
        self.assertEqual(len(lines), len(set(lines)))
        self.assertGreater(len(answered), 100)
        self.assertLessEqual(set(answered), set(lines))
        self.assertEqual(len(set(lines) - set(answered)), 1)  # the first answer of all, which the start waited for

    def test_a_full_disk_loses_only_lines(self):
        daemon = self.start(up=("v1",), access_log="/dev/full")
        with daemon.client() as client:
            for _ in range(500):
                self.assertEqual(client.ask("/").status, 200)

        def lost():
            line, = [line for line in daemon.ctl("metrics").out.splitlines()
                     if line.startswith("grayd_access_log_lost_lines_total ")]
            return int(line.split()[1])
        eventually(lambda: lost() >= 500, what="the loss of 500 lines")
        said = wait_event(daemon, "access-log-failed")
        self.assertIn("cannot write all lines to /dev/full", said["text"])
        daemon.get("/")
        eventually(lambda: lost() >= 501)
        self.assertEqual(kinds_of(events_of(daemon)).count("access-log-failed"), 1)

    def test_a_removed_folder_is_created_again_when_the_log_is_reopened(self):
        daemon = self.start(up=("v1",), access_log="logs/access.log")
        folder = os.path.join(daemon.folder, "logs")
        os.rename(folder, folder + ".away")
        self.assertEqual(daemon.get("/").status, 200)
        daemon.process.send_signal(signal.SIGUSR1)
        wait_event(daemon, "access-log-reopened")
        self.assertEqual(daemon.get("/").status, 200)
        eventually(lambda: os.path.getsize(os.path.join(folder, "access.log")) > 0)


class LastMinute(GrayTest):
    def minute(self, daemon, version):
        return daemon.version(version)["last_minute"]

    def test_errors_show_while_they_are_younger_than_a_minute(self):
        daemon = self.start()
        for _ in range(5):
            self.assertEqual(daemon.get("/status?code=500&version=v2").status, 500)
        self.assertEqual(daemon.get("/?version=v2").status, 200)
        found = eventually(lambda: (one := self.minute(daemon, "v2"))["error_ratio"] > 0.8 and one, what="the errors")
        self.assertAlmostEqual(found["error_ratio"], 5 / 6)
        self.assertGreater(found["requests_per_second"], 0)
        self.assertGreater(found["p99_ms"], 0)
        self.assertGreaterEqual(found["p99_ms"], found["p50_ms"])
        self.assertEqual(self.minute(daemon, "v1")["error_ratio"], 0)
        self.assertEqual(daemon.version("v2")["verdict"], "none")  # nobody gets it without asking for it
        self.assertEqual(daemon.version("v1")["verdict"], "none")
        text = daemon.ctl("status").out
        self.assertRegex(text, r"\nweb +v2 .* 83 ")
        self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_the_watch_has_a_line_for_each_change_and_survives_an_upgrade(self):
        daemon = self.start()
        watch = Following(daemon, "status", "-w", "web")
        self.addCleanup(watch.end)
        watch.wait("web v1: 100%, serving, stable")
        self.assertEqual(daemon.ctl("shift", "web", "v2", "5").code, 0)
        watch.wait("web v2: 5%, serving")
        self.assertEqual(daemon.ctl("upgrade").code, 0)
        self.assertEqual(daemon.ctl("shift", "web", "v2", "7").code, 0)
        watch.wait("web v2: 7%, serving")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(watch.process.wait(20 * SLOWER), 7)


class Drift(GrayTest):
    def test_a_changed_file_is_shown_in_the_status(self):
        daemon = self.start()
        self.assertFalse(daemon.status()["config_changed"])
        self.assertNotIn("changed on disk", daemon.ctl("status").out)
        daemon.write_config(merged(daemon.config, {"service": {"web": {"limits": {"queue": 7}}}}))
        self.assertTrue(daemon.status()["config_changed"])
        text = daemon.ctl("status").out.replace("\n", " ")
        self.assertIn("changed on disk since it was loaded: grayctl reload", text)
        self.assertEqual(daemon.ctl("reload").code, 0)
        self.assertFalse(daemon.status()["config_changed"])


if __name__ == "__main__":
    unittest.main()
