"""The page and the live feed, as a browser and scripts see them."""
import contextlib
import http.client
import json
import os
import signal
import socket
import time
import unittest
import urllib.parse

from harness import SLOWER, GrayTest, eventually, faulty, free_port, two_versions
from users import Users

WATCHERS = 32  # at each entrance
ACTION = {"Content-Type": "application/json", "X-Grayd": "page"}


class Stream:
    """A watcher of the live feed."""

    def __init__(self, address, host="localhost"):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(20 * SLOWER)
        self.socket.connect(address)
        self.socket.sendall(f"GET /v1/live HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.fields = dict(line.decode().strip().split(": ", 1) for line in iter(self.file.readline, b"\r\n"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def next(self):
        """The next picture; None at the end of the stream."""
        for line in self.file:
            if line.startswith(b"data: "):
                return json.loads(line[6:])
        return None

    def until(self, check, timeout=10):
        deadline = time.monotonic() + timeout * SLOWER
        while time.monotonic() < deadline:
            picture = self.next()
            if picture is None:
                raise AssertionError("the stream has ended")
            if check(picture):
                return picture
        raise AssertionError("no such picture came in time")


class DashboardTest(GrayTest):
    def begun(self, web=None, write=False, **options):
        self.page = free_port()
        self.daemon = self.start(web, listen={"dashboard": f"127.0.0.1:{self.page}"}, admin={"write": write}, **options)
        return self.daemon

    def ask(self, path, method="GET", body=None, **fields):
        """Status, fields and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.page, timeout=30 * SLOWER)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"Host": "localhost", **{name.replace("_", "-"): value
                                                                             for name, value in fields.items()}})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode(errors="replace")

    def act(self, verb, **args):
        return self.ask(f"/v1/{verb}", "POST", json.dumps(args), **{"Content_Type": "application/json",
                                                                    "X_Grayd": "page"})

    def stream(self):
        return Stream(("127.0.0.1", self.page))

    def refused(self, status, part, *args, **fields):
        answer = self.ask(*args, **fields)
        self.assertEqual((answer[0], part in answer[2]), (status, True), answer)
        self.assertEqual(answer[1]["X-Content-Type-Options"], "nosniff")


class Listening(DashboardTest):
    def test_it_is_off_unless_the_file_has_an_address_and_needs_a_restart(self):
        daemon = self.daemon = self.start()
        self.assertEqual(daemon.status()["dashboard"], "")
        daemon.write_config({**daemon.config, "listen": {**daemon.config["listen"], "dashboard": "127.0.0.1:1"},
                             "admin": {"write": True}})
        refused = daemon.ctl("reload")
        self.assertEqual((refused.code, "listen.dashboard, admin.write needs a restart" in refused.err), (3, True),
                         refused)

    def test_a_port_in_use_is_an_error_at_the_start(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            daemon = self.start(up=(), listen={"dashboard": f"127.0.0.1:{port}"})
            self.assertEqual(daemon.process.wait(20 * SLOWER), 1)
            self.assertIn(f"127.0.0.1:{port} is in use", daemon.log())
            self.assertIn("change [listen] dashboard", daemon.log())


class Reading(DashboardTest):
    def test_verbs_are_answered_and_everything_else_is_refused_with_a_sentence(self):
        secret = "s3cret-of-the-worker"
        web = two_versions(version={"v1": {"env": {"TOKEN": secret}}})
        self.begun(web)
        status, fields, text = self.ask("/")
        self.assertEqual(status, 200)
        self.assertIn("default-src 'none'", fields["Content-Security-Policy"])
        self.assertEqual((fields["Cache-Control"], fields["Referrer-Policy"]), ("no-store", "no-referrer"))
        self.assertEqual(self.ask("/", "HEAD")[::2], (200, ""))
        same = json.loads(self.ask("/v1/status")[2]), self.daemon.status()
        self.assertEqual(*[(one["pid"], one["services"][0]["name"]) for one in same])
        answers = text + "".join(self.ask(f"/v1/{verb}")[2] for verb in (
            "status", "events", "logs", "memory", "history", "health", "metrics", "bucket?service=web",
            "why?service=web&path=/", "why?request_id=0", "rollout-status?service=web"))
        with self.stream() as stream:
            answers += json.dumps(stream.next())
        self.assertNotIn(secret, answers)
        self.refused(421, "open it by its address", "/", Host="evil.example")
        self.refused(421, "open it by its address", "/v1/status", Host=f"evil.example:{self.page}")
        self.refused(403, "from another site", "/v1/status", Origin="http://evil.example")
        self.refused(403, "from another site", "/v1/live", Sec_Fetch_Site="cross-site")
        self.refused(405, "GET, HEAD and POST only", "/", "DELETE")
        self.refused(405, "use POST", "/v1/promote")
        self.refused(404, "there is nothing at /x", "/x")
        for verb in ("promote", "rollout-retry"):
            self.refused(403, "the page is read-only", f"/v1/{verb}", "POST", "{}", Content_Type="application/json",
                         X_Grayd="page")
        self.assertEqual(self.daemon.version("v1")["weight"], 100)


class Explaining(DashboardTest):
    def why(self, **query):
        status, _, text = self.ask("/v1/why?" + urllib.parse.urlencode(query))
        return status, json.loads(text)

    def test_a_request_is_explained_by_its_id_and_a_path_is_still_decided(self):
        daemon = self.begun()
        wanted = daemon.get()["x-request-id"]
        eventually(lambda: any(line["request_id"] == wanted for line in daemon.access_log()), 5, "the log line")
        status, body = self.why(request_id=wanted)
        self.assertEqual((status, body["request"]["id"], body["service"]), (200, wanted, "web"), body)
        self.assertEqual(body["replay"]["text"], "decided again from this line: the same")
        same = self.ok("why", wanted, "-o", "json").json()
        self.assertEqual({**body, "schema_version": 1}, same)
        log = os.path.join(daemon.folder, "access.log")
        os.rename(log, log + ".1")
        daemon.process.send_signal(signal.SIGUSR1)
        eventually(lambda: os.path.exists(log), 5, "a new log")
        self.assertEqual(self.why(request_id=wanted)[0], 200)
        self.assertIn("text", self.why(service="web", path="/")[1])

        status, body = self.why(request_id=wanted[1:])
        self.assertEqual((status, body["exit_code"]), (404, 1), body)
        self.assertIn("digits 0-9 a-f, this one has 31 characters", body["error"])
        self.assertIn("grayctl why REQUEST_ID", body["error"])
        self.refused(400, "request_id is empty", "/v1/why?request_id=")
        self.refused(400, "request_id or path, not both", f"/v1/why?path=/&request_id={wanted}")

    def test_without_a_log_and_with_a_large_one(self):
        daemon = self.begun(access_log="off")
        self.refused(404, "the access log is off", "/v1/why?request_id=0123")
        daemon.stop()
        daemon = self.begun()
        with open(os.path.join(daemon.folder, "access.log"), "ab") as log:
            log.truncate(300 << 20)  # with a hole: nothing is written
        began = time.monotonic()
        status, body = self.why(request_id="0" * 32)
        self.assertLess(time.monotonic() - began, 5 * SLOWER)
        self.assertEqual(status, 404)
        self.assertIn("then the search stops", body["error"])
        self.assertEqual(daemon.ctl("status").code, 0)


class Watching(DashboardTest):
    def test_the_stream_has_the_status_the_figures_and_the_events_and_shows_what_is_bad_within_3_s(self):
        web = two_versions(version={"v1": {"command": faulty()}, "v2": {"command": faulty("--error-rate", "0.5")}})
        daemon = self.begun(web)
        with self.stream() as stream, Stream(daemon.admin) as other:
            first = stream.next()
            self.assertEqual(stream.fields["Content-Type"], "text/event-stream")
            self.assertEqual(set(first), {"schema_version", "time_ms", "writable", "status", "figures", "rollouts",
                                          "events"})
            self.assertEqual((first["writable"], first["status"]["pid"]), (False, daemon.process.pid))
            self.assertEqual(other.next()["status"]["pid"], daemon.process.pid)
            with Users(daemon.port, rate=100) as users:
                self.ok("shift", "web", "v2", "50")
                eventually(lambda: users.failed, 10, "the first error")
                self.seen_as_bad(stream, "v2")
            pid = daemon.pids("v1")[0]
            os.kill(pid, signal.SIGKILL)
            picture = stream.until(lambda picture: any(
                event["kind"] == "worker-exited" and event["pid"] == pid for event in picture["events"]), 3)
            self.assertLessEqual(len(picture["events"]), 50)
            rates = [second["time_ms"] for second in (stream.next(), stream.next(), stream.next())]
            self.assertGreater(min(rates[1] - rates[0], rates[2] - rates[1]), 250)

    def seen_as_bad(self, stream, version):
        began = time.monotonic()
        stream.until(lambda picture: any(its["version"] == version and its["bad"] for its in
                                         picture["figures"]["versions"]))
        self.assertLess(time.monotonic() - began, 3 * SLOWER)

    def test_one_watcher_too_many_gets_503_and_one_that_does_not_read_is_cut_off(self):
        daemon = self.begun()
        with contextlib.ExitStack() as stack:
            streams = [stack.enter_context(self.stream()) for _ in range(WATCHERS)]
            self.assertEqual({stream.status for stream in streams}, {200})
            self.refused(503, "32 watchers are connected already", "/v1/live")
            self.assertEqual(stack.enter_context(Stream(daemon.admin)).status, 200)
            self.assertEqual(self.ask("/v1/status")[0], 200)
            streams.pop().__exit__()
            eventually(lambda: self.place_is_free(), 5, "a free place")
        with contextlib.ExitStack() as stack:
            silent = [self.silent() for _ in range(4)]
            reader = stack.enter_context(self.stream())
            cut = set()
            deadline = time.monotonic() + 60 * SLOWER
            while len(cut) < len(silent) and time.monotonic() < deadline:
                self.assertIsNotNone(reader.next())
                cut |= {one for one in silent if self.is_cut(one)}
            self.assertEqual(len(cut), len(silent))
            for one in silent:
                one.close()

    def place_is_free(self):
        with self.stream() as stream:
            return stream.status == 200

    def silent(self):
        """A watcher with little room in the kernel that reads nothing."""
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", self.page))
        one.sendall(b"GET /v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return one

    def is_cut(self, one):
        """Whether the kernel of grayd has no such connection any more; nothing is read."""
        port = one.getsockname()[1]
        with open("/proc/net/tcp") as file:
            rows = [line.split() for line in file.readlines()[1:]]
        mine = f"0100007F:{self.page:04X}", f"0100007F:{port:04X}"
        return not any((row[1], row[2]) == mine and row[3] == "01" for row in rows)

    def test_the_stream_ends_at_an_upgrade_and_the_listener_stays(self):
        daemon = self.begun()
        with self.stream() as stream:
            pid = stream.next()["status"]["pid"]
            waiting = daemon.ctl("upgrade", timeout=60)
            self.assertEqual(waiting.code, 0, waiting)
            while stream.next() is not None:
                pass
        with self.stream() as stream:
            picture = stream.next()
            self.assertEqual(picture["status"]["pid"], pid)
            self.assertIn("upgraded", [event["kind"] for event in picture["events"]])


class Writing(DashboardTest):
    def test_a_change_is_carried_out_and_audited_and_needs_the_fields_of_the_page(self):
        daemon = self.begun(write=True)
        with self.stream() as stream:
            self.assertTrue(stream.next()["writable"])
            status, _, body = self.act("shift", service="web", version="v2", percent=20)
            self.assertEqual(status, 200, body)
            stream.until(lambda picture: [its["weight"] for its in picture["figures"]["versions"]] == [80, 20])
        self.assertEqual(self.act("promote", service="web", version="v2", yes=True)[0], 200)
        self.assertEqual(self.act("undo", service="web")[0], 200)
        entries = eventually(lambda: self.history("undo"), 10, "the entry")
        self.assertEqual([entry["actor"] for entry in entries if entry["what"] in ("shift", "promote", "undo")],
                         ["page 127.0.0.1"] * 3)
        events = json.loads(self.ask("/v1/events")[2])["events"]
        self.assertIn("requested by page 127.0.0.1", json.dumps(events))
        change = "/v1/shift", "POST", '{"service":"web","version":"v2","percent":0}'
        self.refused(403, "X-Grayd: page", *change, Content_Type="application/json")
        self.refused(415, "application/json", *change, X_Grayd="page")
        self.refused(403, "from another site", *change, Content_Type="application/json", X_Grayd="page",
                     Origin="http://evil.example")
        self.refused(403, "use grayctl stop on the host", "/v1/stop", "POST", "{}", Content_Type="application/json",
                     X_Grayd="page")
        self.refused(413, "larger than 16 KiB", "/v1/shift", "POST", " " * 17_000, Content_Type="application/json",
                     X_Grayd="page")
        status, _, body = self.act("shift", service="web", version="v9", percent=5)
        self.assertEqual((status, json.loads(body)["exit_code"]), (400, 2), body)
        self.assertIn("v9", json.loads(body)["error"])

    def test_a_rollout_that_was_aborted_begins_again_and_the_history_names_the_page(self):
        self.begun(write=True)
        self.ok("rollout", "start", "web", "v2", "--steps", "10,100", "--hold", "1h")
        self.assertEqual(self.act("rollout-abort", service="web")[0], 200)
        self.assertEqual(self.daemon.version("v2")["weight"], 0)
        self.assertEqual(self.act("rollout-retry", service="web")[0], 200)
        eventually(lambda: self.daemon.version("v2")["weight"] == 10, 20, "the first step")
        status, _, body = self.act("rollout-retry", service="web")
        self.assertEqual((status, json.loads(body)["exit_code"]), (409, 3), body)
        entries = eventually(lambda: self.history("rollout-retry"), 10, "the entry")
        again = next(entry for entry in entries if entry["what"] == "rollout-retry")
        self.assertEqual((again["actor"], again["version"]), ("page 127.0.0.1", "v2"))

    def history(self, what):
        entries = self.ok("history", "-o", "json").json()["entries"]
        return entries if what in [entry["what"] for entry in entries] else None


if __name__ == "__main__":
    unittest.main()
