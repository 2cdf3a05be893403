"""Listeners whose connections begin with a PROXY header: which client grayd uses, and what it refuses."""
import ipaddress
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

from harness import SLOWER, GrayTest, die_with_parent, eventually, free_port, two_versions
from http_client import Client, request

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def line(source):
    family, destination = ("TCP6", "::1") if ":" in source else ("TCP4", "10.0.0.1")
    return f"PROXY {family} {source} {destination} 5555 80\r\n".encode()


def binary(source, extensions=b"", command=1):
    address = ipaddress.ip_address(source)
    family, destination = (0x21, "::1") if address.version == 6 else (0x11, "10.0.0.1")
    rest = address.packed + ipaddress.ip_address(destination).packed + struct.pack("!HH", 5555, 80) + extensions
    return SIGNATURE + struct.pack("!BBH", 0x20 | command, family, len(rest)) + rest


LOCAL = SIGNATURE + b"\x20\0\0\0"
UNKNOWN = b"PROXY UNKNOWN\r\n"


def fields_of(echo):
    """The header of a request as the worker saw it."""
    lines = (part.split(":", 1) for part in echo.text.split("\r\n")[1:] if ":" in part)
    return {name.lower(): value.strip() for name, value in lines}


class Balanced(GrayTest):
    """A grayd with a plain listener, one over IP for balancers, and one on a unix socket."""

    head_timeout = "10s"

    @classmethod
    def setUpClass(cls):
        web = two_versions(identity=["client-ip"], override_from=["192.0.2.7", "2001:db8::/32"],
                           version={"v2": {"weight": 50.0}}, limits={"head_timeout": cls.head_timeout})
        daemon = cls._prepared(web, {})
        cls.port, cls.path = free_port(), os.path.join(daemon.folder, "balancers.sock")
        router = {"trusted_proxies": ["127.0.0.1", "198.51.100.0/24"], "max_connections_per_client": 3}
        daemon.write_config(dict(
            daemon.config, router=dict(daemon.config["router"], **router),
            listen={"http": [f"127.0.0.1:{daemon.port}"], "admin": "grayd.sock",
                    "proxy_protocol": [f"127.0.0.1:{cls.port}", "unix:balancers.sock"]}))
        cls.shared = daemon
        cls.addClassCleanup(daemon.clean_up)
        cls._started(daemon, ["v1", "v2"])

    def client(self, where=None):
        client = Client(where or self.port, timeout=20 * SLOWER)
        self.addCleanup(client.close)
        return client

    def ask(self, header, path="/echo", where=None, **options):
        """One request behind `header`, both in one write."""
        with Client(where or self.port, timeout=20 * SLOWER) as client:
            client.send(header + request(path, **options))
            return client.response()

    def seen_as(self, header, where=None):
        """The client as the worker and the access log see it."""
        response = self.ask(header, where=where)
        self.assertEqual(response.status, 200)
        client = self.line_of(response)["client"]
        forwarded = fields_of(response).get("x-forwarded-for")
        self.assertEqual(forwarded or "", client)
        return client

    def line_of(self, response):
        def written():
            return [entry for entry in self.shared.access_log() if entry["request_id"] == response["x-request-id"]]
        return eventually(written, 5, "the log line")[0]

    def assert_refused(self, client, status, text, reason):
        response = client.response()
        self.assertIsNotNone(response)
        self.assertEqual((response.status, response["x-gray-reason"], response["connection"]),
                         (status, reason, "close"))
        self.assertIn(text, response.text)
        self.assertTrue(client.is_closed())
        line = self.line_of(response)
        self.assertEqual(line["reason"], reason)
        return line


class Headers(Balanced):
    def test_both_versions_and_both_families_name_the_client(self):
        for source in ("192.0.2.7", "2001:db8::9"):
            self.assertEqual(self.seen_as(line(source)), source)
            self.assertEqual(self.seen_as(binary(source)), source)
        self.assertEqual(self.seen_as(binary("192.0.2.7", extensions=b"\x01\0\x02h2\x04\0\0")), "192.0.2.7")

    def test_a_peer_that_names_no_client_is_the_client(self):
        for header in (UNKNOWN, b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", LOCAL, binary("192.0.2.7", command=0)):
            # The peer is in trusted_proxies, so its X-Forwarded-For would count; it sends none.
            self.assertEqual(self.seen_as(header), "127.0.0.1")

    def test_a_header_may_come_in_pieces(self):
        for header in (line("192.0.2.8"), binary("192.0.2.8")):
            client = self.client()
            for byte in header + request("/echo"):
                client.send(bytes([byte]))
            self.assertEqual(fields_of(client.response())["x-forwarded-for"], "192.0.2.8")

    def test_it_counts_for_all_requests_of_the_connection(self):
        client = self.client()
        client.send(line("192.0.2.9") + request("/echo") + request("/echo"))
        for _ in range(2):
            self.assertEqual(fields_of(client.response())["x-forwarded-for"], "192.0.2.9")
        self.assertEqual(fields_of(client.ask("/echo"))["x-forwarded-for"], "192.0.2.9")

    def test_a_unix_socket_is_trusted_by_its_folder(self):
        self.assertEqual(self.seen_as(line("192.0.2.7"), self.path), "192.0.2.7")
        self.assertEqual(self.ask(LOCAL, where=self.path).status, 200)

    def test_a_plain_listener_refuses_a_proxy_header(self):
        client = self.client(self.shared.port)
        client.send(line("192.0.2.7") + request("/"))
        self.assertEqual(client.response().status, 400)
        self.assertTrue(client.is_closed())


class Meaning(Balanced):
    """What follows from being the client."""

    def test_users_are_distinguished(self):
        versions = {self.ask(line(f"203.0.113.{host}"), "/")["x-gray-version"] for host in range(1, 21)}
        self.assertEqual(versions, {"v1", "v2"})
        again = {self.ask(line("203.0.113.1"), "/")["x-gray-version"] for _ in range(3)}
        self.assertEqual(len(again), 1)

    def test_override_from_is_checked_against_the_client(self):
        named = {"X-Version": "v2"}
        self.assertEqual(self.ask(line("192.0.2.7"), headers=named)["x-gray-decision"], "header")
        self.assertEqual(self.ask(binary("2001:db8::9"), headers=named)["x-gray-decision"], "header")
        self.assertNotEqual(self.ask(line("192.0.2.8"), headers=named)["x-gray-decision"], "header")

    def test_p31_what_a_client_forwards_counts_only_if_he_is_trusted(self):
        forged = {"X-Forwarded-For": "9.9.9.9", "X-Request-Id": "forged"}
        response = self.ask(line("192.0.2.8"), headers=forged)
        self.assertEqual(fields_of(response)["x-forwarded-for"], "192.0.2.8")
        self.assertNotEqual(response["x-request-id"], "forged")
        response = self.ask(line("198.51.100.7"), headers=forged)
        self.assertEqual(fields_of(response)["x-forwarded-for"], "9.9.9.9, 198.51.100.7")
        self.assertEqual(response["x-request-id"], "forged")

    def test_connections_are_counted_for_the_client(self):
        kept = []
        for host in (21, 21, 21, 22):
            kept.append(self.client())
            kept[-1].send(line(f"192.0.2.{host}") + request("/"))
            self.assertEqual(kept[-1].response().status, 200)
        one_more = self.client()
        one_more.send(line("192.0.2.21") + request("/"))
        refused = self.assert_refused(one_more, 503, "its limit of connections", "overloaded")
        self.assertEqual((refused["client"], refused.get("fault")), ("192.0.2.21", None))
        kept[0].close()
        eventually(lambda: self.ask(line("192.0.2.21"), "/").status == 200, 5, "room for one more")


class Refused(Balanced):
    def test_an_invalid_header_is_refused(self):
        for bad in (request("/"), b"PROXY TCP4 192.0.2.7 10.0.0.1 1 65536\r\n", b"PROXY TCP4 ::1 ::1 1 2\r\n",
                    b"PROXY UNKNOWN\n", b"proxy UNKNOWN\r\n", b"PROXY UNKNOWN " + b"x" * 100,
                    SIGNATURE + b"\x31\x11\0\x0c" + b"x" * 12, binary("192.0.2.7", extensions=b"\x01\0\x09x")):
            with self.subTest(bad=bad):
                client = self.client()
                client.send(bad)
                refused = self.assert_refused(client, 400, "", "bad-request")
                self.assertEqual((refused["client"], refused["fault"]), ("127.0.0.1", "PROXY"))
                client.close()  # one that stays counts among its max_connections_per_client until grayd has closed it
        metrics = self.shared.ctl("metrics").out
        self.assertRegex(metrics, r'grayd_faults_total\{rule="PROXY",side="downstream"\} \d')

    def test_a_second_header_is_refused(self):
        for second in (line("192.0.2.8"), binary("192.0.2.8")):
            client = self.client()
            client.send(line("192.0.2.7") + second + request("/"))
            refused = self.assert_refused(client, 400, "", "bad-request")
            self.assertEqual(refused["client"], "192.0.2.7")
            self.assertNotEqual(refused["fault"], "PROXY")  # a request line that is none

    def test_an_untrusted_peer_is_refused_before_it_sends_anything(self):
        client = Client(self.port, timeout=20 * SLOWER, source="127.0.0.2")
        self.addCleanup(client.close)
        refused = self.assert_refused(client, 400, "trusted_proxies", "bad-request")
        self.assertEqual((refused["client"], refused["fault"]), ("127.0.0.2", "PROXY"))


class Late(Balanced):
    head_timeout = "1s"

    def test_a_slow_header_is_cut_at_its_deadline(self):
        client = self.client()
        started = time.monotonic()
        client.sock.settimeout(0.1)
        client.send(b"PROXY UNKNOWN ")
        for _ in range(80):
            try:
                client.send(b"x")
                client.pending += client.sock.recv(4096)
            except TimeoutError:
                continue
            break
        self.assertGreater(time.monotonic() - started, 0.9)
        client.sock.settimeout(20 * SLOWER)
        self.assert_refused(client, 408, "PROXY header did not arrive", "request-timeout")

    def test_silence_is_closed(self):
        self.assertTrue(self.client().is_closed())


HAPROXY = """
defaults
    mode http
    timeout connect 5s
    timeout client 30s
    timeout server 30s
frontend first
    bind 127.0.0.1:{first}
    default_backend one
frontend second
    bind 127.0.0.1:{second}
    default_backend two
backend one
    http-reuse never
    server grayd 127.0.0.1:{grayd} send-proxy
backend two
    http-reuse never
    server grayd 127.0.0.1:{grayd} send-proxy-v2 proxy-v2-options unique-id,crc32c
"""


class BehindHaproxy(Balanced):
    def balancer(self):
        """A packaged HAProxy in front of grayd; the ports that speak version 1 and 2 behind."""
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        folder = tempfile.mkdtemp(prefix="grayd-haproxy-")
        self.addCleanup(shutil.rmtree, folder, True)
        first, second = free_port(), free_port()
        path = os.path.join(folder, "haproxy.cfg")
        with open(path, "w") as file:
            file.write(HAPROXY.format(first=first, second=second, grayd=self.port))
        process = subprocess.Popen([program, "-db", "-f", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   preexec_fn=die_with_parent)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.send_signal, signal.SIGTERM)

        def up():
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", first)) == 0
        eventually(up, 10, "HAProxy's listener")
        return first, second

    def test_the_client_of_haproxy_is_the_client(self):
        for port in self.balancer():
            for host in (3, 4):
                with Client(port, timeout=20 * SLOWER, source=f"127.0.0.{host}") as client:
                    response = client.ask("/echo")
                self.assertEqual(response.status, 200)
                self.assertEqual(fields_of(response)["x-forwarded-for"], f"127.0.0.{host}")
                self.assertEqual(self.line_of(response)["client"], f"127.0.0.{host}")


class Configuration(GrayTest):
    def test_a_listener_without_trusted_peers_is_an_error_with_a_remedy(self):
        daemon = self.start(listen={"proxy_protocol": ["127.0.0.1:1"]}, up=())
        self.assertEqual(daemon.process.wait(20 * SLOWER), 8)
        self.assertIn("list the load balancers in router.trusted_proxies", daemon.log())


if __name__ == "__main__":
    unittest.main()
