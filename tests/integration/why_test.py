"""grayctl why and bucket: what a request got, what it would get, and who would be where; decisions are replayed."""
import json
import os
import random
import socket
import subprocess
import threading

from harness import BUILD, GrayTest, eventually, faulty, two_versions

REQUESTS = 24_000
CONNECTIONS = 6


def users(count):
    return [str(number) for number in range(1, count + 1)]


class Explained(GrayTest):
    """One grayd for the questions: v2 has 20 percent, and its salt is web/v2."""

    @classmethod
    def setUpClass(cls):
        cls.start_shared(two_versions(identity=["cookie:uid", "client-ip"], override_from=["127.0.0.1"],
                                      version={"v2": {"weight": 20.0}}))

    def setUp(self):
        self.daemon = self.shared

    def asked(self, *args):
        result = self.daemon.ctl("why", *args)
        self.assertEqual(result.code, 0, result)
        return result.out

    def logged(self, **options):
        """The id of an answered request, when its line is written."""
        response = self.daemon.get(**options)
        wanted = response["x-request-id"]
        eventually(lambda: any(line["request_id"] == wanted for line in self.daemon.access_log()), 5, "the log line")
        return wanted

    def test_a_request_of_the_log(self):
        out = self.asked(self.logged(path="/x?y=1", headers={"Cookie": "uid=3"}))
        self.assertEqual(out.splitlines()[0], "cookie uid → bucket 79.4 % ≥ 20 % → stable v1")
        self.assertIn("  replay    decided again from this line: the same\n", out)
        self.assertIn("  answer    200 by web@v1#0, ", out)
        named = json.loads(self.asked(self.logged(path="/?version=v2"), "-o", "json"))
        self.assertEqual((named["schema_version"], named["decision"], named["version"], named["text"]),
                         (1, "param", "v2", "param → v2"))
        self.assertEqual(named["identity"]["source"], "client-ip")

    def test_an_unknown_request(self):
        self.logged()
        result = self.daemon.ctl("why", "0123")
        self.assertEqual(result.code, 1)
        self.assertIn("no request 0123 in ", result.err)
        self.assertIn("--log FILE", result.err)

    def test_the_rotated_file(self):
        wanted = self.logged()
        log = os.path.join(self.daemon.folder, "access.log")
        os.rename(log, log + ".1")
        self.addCleanup(lambda: os.path.exists(log + ".1") and os.remove(log + ".1"))
        self.daemon.process.send_signal(10)  # SIGUSR1
        eventually(lambda: os.path.exists(log), 5, "a new file")
        self.assertIn(wanted, self.asked(wanted, "-o", "json"))

    def test_a_log_that_may_not_be_read(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to run as a different user")
        wanted = self.logged()
        log = os.path.join(self.daemon.folder, "access.log")
        self.addCleanup(os.chmod, log, os.stat(log).st_mode & 0o777)
        os.chmod(log, 0o600)
        os.chmod(self.daemon.folder, 0o755)
        copy = os.path.join(BUILD, "grayctl")
        done = subprocess.run([copy, "why", wanted, "--log", log], user=65534, group=65534, extra_groups=[], cwd="/",
                              text=True, capture_output=True)
        self.assertEqual(done.returncode, 4, done)
        self.assertIn("cannot read the access log", done.stderr)

    def test_a_curl_command_line_is_decided_as_curl_would_be(self):
        curl = ["curl", "-s", "-o", "/dev/null", "-w", "%header{x-gray-version} %header{x-gray-decision}"]
        for options in (["-b", "uid=3"], ["-b", "uid=1"], ["-H", "Cookie: uid=77; version=v1"], ["-H", "X-Version: v2"],
                        [], ["-G", "-d", "version=v2"], ["-b", "uid=1", "-H", "Accept: a", "--compressed"]):
            command = [*curl, *options, f"http://127.0.0.1:{self.daemon.port}/x?y=1"]
            got = subprocess.run(command, text=True, capture_output=True).stdout
            said = json.loads(self.daemon.ctl("why", "-o", "json", "--", *command).out)
            self.assertEqual(f'{said["version"]} {said["decision"]}', got, options)
            quoted = " ".join(f"'{word}'" for word in command)
            self.assertEqual(json.loads(self.daemon.ctl("why", "-o", "json", quoted).out), said)
        self.assertEqual(self.asked("curl", "-b", "uid=3", "localhost/").splitlines()[0],
                         "cookie uid=3 → bucket 79.4 % ≥ 20 % → stable v1")

    def test_a_described_request(self):
        out = self.asked("--path", "/x", "--header", "X-Version: v2", "--client", "192.0.2.7", "web")
        self.assertIn("  header    x-version: v2, does not count: 192.0.2.7 is not in override_from\n", out)
        self.assertIn("  identity  client-ip: 192.0.2.7\n", out)
        result = self.daemon.ctl("why", "--path", "/", "wbe")
        self.assertEqual(result.code, 2)
        self.assertIn('there is no service "wbe", did you mean "web"?', result.err)

    def test_buckets_are_those_of_the_router(self):
        ids = users(60)
        said = self.daemon.ctl("bucket", "web", *ids, "-o", "json").json()
        with self.daemon.client() as client:
            for user in said["ids"]:
                got = client.ask("/", headers={"Cookie": f"uid={user['id']}"})["x-gray-version"]
                self.assertEqual(user["now"], got, user)

    def test_a_planned_weight(self):
        path = os.path.join(self.daemon.folder, "users.txt")
        with open(path, "w") as file:
            file.write("\r\n".join(users(2000)) + "\n\n")
        result = self.daemon.ctl("bucket", "web", "--file", path, "--weight", "50", "-o", "json").json()
        summary = result["summary"]
        self.assertEqual(summary["users"], 2000)
        self.assertEqual(summary["leaves"]["users"], 0)
        self.assertEqual(summary["joins"]["users"], summary["planned"]["v2"] - summary["now"]["v2"])
        self.assertIn("users lose v2: ", self.daemon.ctl("bucket", "web", "--file", path, "--weight", "1%").out)
        missing = self.daemon.ctl("bucket", "web", "--file", path + "x")
        self.assertEqual((missing.code, "cannot read" in missing.err), (1, True))
        self.assertEqual(self.daemon.ctl("bucket", "web", "7", "--version", "v9").code, 2)

    def test_an_allowlist_and_rules(self):
        rules = [{"name": "other", "header": {"x-other": True}}, {"name": "beta", "path": "/beta", "version": "v2"}]
        daemon = self.start(two_versions(version={"v2": {"weight": 1.0}}, allowlist={"users": ["alice"]}, rule=rules))
        asked = {("alice", "/"): "cookie uid=alice → allowlist → canary v2", ("3", "/beta/x"): "rule beta → canary v2",
                 ("3", "/"): "cookie uid=3 → bucket 79.4 % ≥ 1 % → stable v1"}
        for (user, path), words in asked.items():
            cookie = f"Cookie: uid={user}"
            out = daemon.ctl("why", "--path", path, "--header", cookie).out
            self.assertEqual(out.splitlines()[0], words)
            got = daemon.get(path, headers={"Cookie": f"uid={user}"})
            said = daemon.ctl("why", "--path", path, "--header", cookie, "-o", "json").json()
            self.assertEqual((said["version"], said["decision"]), (got["x-gray-version"], got["x-gray-decision"]))
        self.assertIn("  rule      other: header x-other: absent, does not match\n",
                      daemon.ctl("why", "--path", "/beta", "--header", "Cookie: uid=3").out)
        os.kill(daemon.pids("v2")[0], 9)
        for user, path in list(asked) * 2:
            daemon.get(path, headers={"Cookie": f"uid={user}"})
        log = os.path.join(daemon.folder, "access.log")
        eventually(lambda: len(daemon.access_log()) >= 9, 5, "the log lines")
        report = daemon.ctl("why", "--replay", log, "-o", "json").json()
        self.assertEqual((report["mismatches"], report["lines"] - report["replayed"]), (0, 0), report)
        for kind in ("allowlist", "rule", "fallback"):
            self.assertGreater(report["decisions"].get(kind, 0), 0, report)

    def test_without_a_log(self):
        daemon = self.start(two_versions(), up=("v1",), access_log="off")
        result = daemon.ctl("why", "0123")
        self.assertEqual(result.code, 1)
        self.assertIn("the access log is off", result.err)


class Replayed(GrayTest):
    """Decisions of all kinds by a real router, while weights change and the canary comes and goes."""

    def one_request(self, pick):
        user = f"uid={pick.randrange(1, 5_000)}"
        kind = pick.randrange(12)
        path, fields = "/", [user] if kind else []
        if kind == 1:
            path = f"/?version={pick.choice(('v1', 'v2', 'v9'))}"
        if kind == 2:
            fields.append(f"version={pick.choice(('v1', 'v2'))}")
        head = f"GET {path} HTTP/1.1\r\nHost: test\r\n"
        if kind == 3:
            head += f"X-Version: {pick.choice(('v1', 'v2'))}\r\n"
        if fields:
            head += f"Cookie: {'; '.join(fields)}\r\n"
        return head + "\r\n"

    def press(self, port, count, seed):
        """Requests one behind the other on one connection; only their number of answers matters here."""
        pick = random.Random(seed)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection, connection.makefile("rb") as file:
            for _ in range(count):
                connection.sendall(self.one_request(pick).encode())
                length = 0
                for line in iter(file.readline, b"\r\n"):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                file.read(length)

    def test_every_decision_of_a_router_is_made_again(self):
        seed = random.randrange(1 << 32)
        print(f"seed {seed}")
        worker = {"command": faulty()}
        daemon = self.start(two_versions(identity=["cookie:uid"], version={"v1": worker, "v2": worker}))
        threads = [threading.Thread(target=self.press, args=(daemon.port, REQUESTS // CONNECTIONS, seed + number))
                   for number in range(CONNECTIONS)]
        for thread in threads:
            thread.start()
        self.disturb(daemon, threads)
        daemon.stop()
        log = os.path.join(daemon.folder, "access.log")
        with open(os.path.join(daemon.folder, "users.txt"), "w") as file:
            file.write("\n".join(users(5_000)))
        report = daemon.ctl("why", "--replay", log, "--ids", "users.txt", "-o", "json")
        self.assertEqual(report.code, 0, report)
        figures = report.json()
        self.assertGreaterEqual(figures["replayed"], 20_000)
        self.assertEqual(figures["mismatches"], 0)
        self.assertEqual(figures["ids"]["unknown"], 0)
        for kind in ("param", "header", "cookie", "bucket", "stable", "fallback"):
            self.assertGreater(figures["decisions"].get(kind, 0), 0, figures)
        self.change_lines(daemon, log, random.Random(seed))

    def disturb(self, daemon, threads):
        """The canary dies once, when all users have it for the second time."""
        weights, shifts = [5, 50, 100, 0, 20], 0
        while any(thread.is_alive() for thread in threads):
            self.assertEqual(daemon.ctl("shift", "web", "v2", str(weights[shifts % 5]), "--yes").code, 0)
            shifts += 1
            if shifts == 8:
                for pid in daemon.pids("v2"):
                    os.kill(pid, 9)
        for thread in threads:
            thread.join()

    def change_lines(self, daemon, log, pick):
        """A copy with changed lines: each is found."""
        changed = 0
        path = os.path.join(daemon.folder, "changed.log")
        with open(log) as source, open(path, "w") as copy:
            for text in source:
                line = json.loads(text)
                if line["decision"] in ("bucket", "stable", "fallback") and pick.randrange(10) == 0:
                    line["version"] = {"v1": "v2", "v2": "v1"}[line["version"]]
                    changed += 1
                copy.write(json.dumps(line) + "\n")
        result = daemon.ctl("why", "--replay", path, "-o", "json")
        self.assertEqual(result.code, 1)
        self.assertEqual(result.json()["mismatches"], changed)

