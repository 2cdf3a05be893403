"""Listeners: IPv6 and unix sockets, and the client address on each."""
import json
import os
import socket
import stat

from harness import GrayTest, eventually, run_program, two_versions


def fields_of(echo):
    """The header of a request as the worker saw it."""
    lines = (line.split(":", 1) for line in echo.text.split("\r\n")[1:] if ":" in line)
    return {name.lower(): value.strip() for name, value in lines}


class Listening(GrayTest):
    def line_of(self, response):
        """The line of the access log about the request of this answer."""
        def written():
            return [line for line in self.shared.access_log() if line["request_id"] == response["x-request-id"]]
        return eventually(written, 5, "the log line")[0]


class Ipv6(Listening):
    """"[::1]:PORT" beside an IPv4 address."""

    @classmethod
    def setUpClass(cls):
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
            cls.port = probe.getsockname()[1]
        web = two_versions(identity=["client-ip"], version={"v2": {"weight": 100.0}}, override_from=["::1"])
        daemon = cls._prepared(web, {})
        daemon.write_config(dict(daemon.config, listen={"http": [f"127.0.0.1:{daemon.port}", f"[::1]:{cls.port}"],
                                                        "admin": "grayd.sock"}))
        cls.shared = daemon
        cls.addClassCleanup(daemon.clean_up)
        cls._started(daemon, ["v1", "v2"])

    def ask(self, path="/", **options):
        with self.shared.client(("::1", self.port)) as client:
            return client.ask(path, **options)

    def test_both_addresses_are_served_and_printed(self):
        self.assertEqual(self.ask().status, 200)
        self.assertEqual(self.shared.get().status, 200)
        self.assertIn(f"serving http://127.0.0.1:{self.shared.port} http://[::1]:{self.port}", self.shared.log())

    def test_the_worker_and_the_log_know_the_client(self):
        response = self.ask("/echo", headers={"X-Forwarded-For": "192.0.2.1"})
        self.assertEqual(fields_of(response)["x-forwarded-for"], "::1")
        self.assertEqual(self.line_of(response)["client"], "::1")

    def test_the_address_is_an_identity(self):
        response = self.ask()
        self.assertEqual((response["x-gray-version"], response["x-gray-decision"]), ("v2", "bucket"))
        self.assertRegex(self.line_of(response)["identity_hash"], "^[0-9a-f]{16}$")

    def test_networks_are_compared_with_ipv6_peers(self):
        named = {"X-Version": "v1"}
        self.assertEqual(self.ask(headers=named)["x-gray-decision"], "header")
        self.assertEqual(self.shared.get(headers=named)["x-gray-decision"], "bucket")


class Unix(Listening):
    """"unix:PATH" beside an IPv4 address."""

    @classmethod
    def setUpClass(cls):
        daemon = cls._prepared(two_versions(identity=["client-ip"], version={"v2": {"weight": 100.0}}), {})
        cls.path = os.path.join(daemon.folder, "web.sock")
        daemon.write_config(dict(daemon.config, listen={"http": [f"127.0.0.1:{daemon.port}", "unix:web.sock"],
                                                        "admin": "grayd.sock"}))
        cls.shared = daemon
        cls.addClassCleanup(daemon.clean_up)
        cls._started(daemon, ["v1", "v2"])

    def ask(self, path="/", **options):
        with self.shared.client(self.path) as client:
            return client.ask(path, **options)

    def test_a_peer_without_address_is_served_and_has_no_identity_by_it(self):
        response = self.ask()
        self.assertEqual((response.status, response["x-gray-version"], response["x-gray-decision"]),
                         (200, "v1", "stable"))
        self.assertEqual(self.shared.get()["x-gray-decision"], "bucket")

    def test_a_unix_peer_may_name_a_version_by_header(self):
        self.assertEqual(self.ask(headers={"X-Version": "v2"})["x-gray-decision"], "header")

    def test_nothing_is_forwarded_for_a_peer_without_address(self):
        fields = fields_of(self.ask("/echo", headers={"X-Forwarded-For": "192.0.2.1"}))
        self.assertNotIn("x-forwarded-for", fields)
        self.assertEqual(fields["x-forwarded-proto"], "http")

    def test_the_log_line_is_still_json(self):
        line = self.line_of(self.ask())
        self.assertFalse(line["client"])
        self.assertIsNone(line["identity_hash"])

    def test_every_process_that_can_reach_the_file_may_connect(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o666)

    def test_many_requests_on_one_connection(self):
        with self.shared.client(self.path) as client:
            for _ in range(50):
                self.assertEqual(client.ask("/").status, 200)


class TrustedUnix(GrayTest):
    """"unix" in trusted_proxies: a front end on this host names the client and the scheme."""

    def test_a_front_end_over_a_unix_socket_is_believed(self):
        daemon = self._prepared(two_versions(identity=["client-ip"]), {})
        self._own.append(daemon)
        daemon.write_config(dict(daemon.config, listen={"http": [f"127.0.0.1:{daemon.port}", "unix:web.sock"],
                                                        "admin": "grayd.sock"}, router={"trusted_proxies": ["unix"]}))
        self._started(daemon, ["v1"])
        claims = {"X-Forwarded-For": "192.0.2.1:4711", "X-Forwarded-Proto": "https"}
        with daemon.client(os.path.join(daemon.folder, "web.sock")) as client:
            answer = client.ask("/echo", headers=claims)
        fields = fields_of(answer)
        self.assertEqual((fields["x-forwarded-for"], fields["x-forwarded-proto"]), ("192.0.2.1:4711", "https"))

        def line():
            return [entry["client"] for entry in daemon.access_log() if entry["request_id"] == answer["x-request-id"]]
        self.assertEqual(eventually(line, 5, "the log line"), ["192.0.2.1"])
        stranger = fields_of(daemon.get("/echo", headers=claims))
        self.assertEqual((stranger["x-forwarded-for"], stranger["x-forwarded-proto"]), ("127.0.0.1", "http"))


class SocketFile(GrayTest):
    """The ownership of the path of a unix listener."""

    CONFIG = {"listen": {"http": ["unix:web.sock"]}}

    def check_answers(self, daemon):
        path = os.path.join(daemon.folder, "web.sock")

        def listens():
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(path) == 0
        eventually(listens, 10, "the listener")
        with daemon.client(path) as client:
            self.assertEqual(client.ask("/").status, 200)

    def test_grayd_removes_the_file_at_its_end(self):
        daemon = self.start(up=(), **self.CONFIG).wait_up(1, "v1", "v2")
        path = os.path.join(daemon.folder, "web.sock")
        self.check_answers(daemon)
        self.assertEqual(daemon.stop(), 0)
        self.assertFalse(os.path.exists(path))

    def test_a_file_of_a_killed_grayd_is_replaced(self):
        daemon = self.start(up=(), **self.CONFIG).wait_up(1, "v1", "v2")
        daemon.kill()
        eventually(lambda: not daemon.leftovers(), 10, "nothing of it lives")
        self.assertTrue(os.path.exists(os.path.join(daemon.folder, "web.sock")))
        daemon.launch().wait_up(1, "v1", "v2")
        self.check_answers(daemon)

    def test_a_file_in_use_is_not_replaced(self):
        daemon = self.start(up=(), **self.CONFIG).wait_up(1, "v1", "v2")
        path = os.path.join(daemon.folder, "web.sock")
        other = self._prepared(None, {"listen": {"http": [f"unix:{path}"]}})
        self._own.append(other)
        result = run_program("grayd", "--config", other.config_file, cwd=other.folder)
        self.assertEqual(result.code, 1, result)
        self.assertIn(f"unix:{path} is in use", result.err)
        self.assertIn("change [listen] http", result.err)
        self.check_answers(daemon)

    def test_a_file_that_is_not_a_socket_is_kept(self):
        daemon = self._prepared(None, self.CONFIG)
        self._own.append(daemon)
        path = os.path.join(daemon.folder, "web.sock")
        with open(path, "w") as file:
            json.dump("precious", file)
        result = run_program("grayd", "--config", daemon.config_file, cwd=daemon.folder)
        self.assertEqual(result.code, 1, result)
        self.assertIn("the path exists and is not a socket", result.err)
        with open(path) as file:
            self.assertEqual(json.load(file), "precious")
