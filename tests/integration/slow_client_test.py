"""Slow clients are cut in time, and a client that grayd does not wait for is not slow: min_rate as configured."""
import threading
import time

from harness import SLOWER, GrayTest, eventually, two_versions
from http_client import Client, request

RATE = 1024  # bytes per second: the default of min_rate
WINDOW = 30  # seconds that a rate is an average of
LATEST = 1.5 * WINDOW + 5 * SLOWER


class SlowClients(GrayTest):
    @classmethod
    def setUpClass(cls):
        cls.start_shared(two_versions(limits={"head_timeout": "2s"}))

    def client(self, **options):
        client = Client(self.shared.port, timeout=90 * SLOWER, **options)
        self.addCleanup(client.close)
        return client

    def cut_of(self, path):
        """The lines of the access log about requests of that path that were cut, once there is one."""
        def written():
            return [entry for entry in self.shared.access_log()
                    if entry["path"] == path and entry["reason"] == "request-timeout"]
        return eventually(written, LATEST + 20, f"{path} being cut")

    def upload(self, path, rate, size):
        """Sends a body at `rate` bytes a second until it is answered; the answer and the time it took."""
        client = self.client()
        client.send(f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n")
        client.sock.settimeout(0.2)
        started, sent = time.monotonic(), 0
        while not client.pending:
            due = min(int((time.monotonic() - started) * rate), size)
            try:
                client.send(b"x" * (due - sent))
                sent = due
                client.pending += client.sock.recv(4096)
            except TimeoutError:
                continue
            except OSError:
                break
        client.sock.settimeout(20 * SLOWER)
        return client.response(), time.monotonic() - started, client

    def slow_upload(self):
        response, seconds, client = self.upload("/length?slow", 100, 100_000)
        self.assertEqual((response.status, response["x-gray-reason"], response["connection"]),
                         (408, "request-timeout", "close"))
        self.assertIn("min_rate", response.text)
        self.assertTrue(client.is_closed())
        return seconds

    def fair_upload(self):
        """Twice the rate, for longer than a client may be slow."""
        size = int(2 * RATE * LATEST)
        response, seconds, _ = self.upload("/length?fair", 2 * RATE, size)
        self.assertEqual((response.status, response.text.strip()), (200, str(size)))
        self.assertGreater(seconds, LATEST - 5)

    def slow_download(self):
        client = self.client(receive_buffer=4096)
        started = time.monotonic()
        client.send(request("/big?n=67108864&slow"))
        self.cut_of("/big")
        seconds = time.monotonic() - started
        self.assertFalse(client.response().complete)
        return seconds

    def fair_download(self):
        """Takes four times the rate in small pieces, for longer than a client may be slow, and could go on."""
        client = self.client(receive_buffer=4096)
        client.send(request("/big?n=67108864&fair"))
        started, taken = time.monotonic(), 0
        while time.monotonic() - started < LATEST:
            due = int((time.monotonic() - started) * 4 * RATE)
            if due > taken:
                taken += len(client.sock.recv(due - taken))
            time.sleep(0.05)
        for _ in range(50):
            self.assertTrue(client.sock.recv(1 << 16))

    def test_only_slow_clients_that_grayd_waits_for_are_cut(self):
        failures, seconds = [], {}

        def run(name):
            try:
                seconds[name] = getattr(self, name)()
            except BaseException as problem:  # noqa: B902: a thread's failure is the test's
                failures.append((name, problem))

        names = ("slow_upload", "fair_upload", "slow_download", "fair_download")
        threads = [threading.Thread(target=run, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        for name in ("slow_upload", "slow_download"):
            self.assertGreater(seconds[name], WINDOW - 1, name)
            self.assertLess(seconds[name], LATEST, name)
        expected = [(200, ""), (408, "request-timeout")]
        eventually(lambda: sorted((entry["status"], entry["reason"]) for entry in self.shared.access_log()
                                  if entry["path"] == "/length") == expected, 5, "the log lines of the uploads")
        downloads = self.cut_of("/big")
        self.assertEqual([(cut["status"], cut["fault"], cut["fault_side"]) for cut in downloads],
                         [(200, "P8", "downstream")])
        self.assertEqual(self.shared.version("v1")["errors"], 0)

    def test_a_slow_head_is_cut_at_its_total_deadline(self):
        client = self.client()
        client.sock.settimeout(0.1)
        started = time.monotonic()
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        while not client.pending and time.monotonic() - started < 20 * SLOWER:
            try:
                client.send(b"a: b\r\n")
                client.pending += client.sock.recv(4096)
            except TimeoutError:
                continue
        seconds = time.monotonic() - started
        client.sock.settimeout(20 * SLOWER)
        self.assertEqual(client.response().status, 408)
        self.assertTrue(client.is_closed())
        self.assertGreater(seconds, 1.9)
        self.assertLess(seconds, 2 + 3 * SLOWER)

    def test_a_silent_connection_is_closed_after_head_timeout(self):
        started = time.monotonic()
        self.assertTrue(self.client().is_closed())
        self.assertGreater(time.monotonic() - started, 1.9)
        self.assertLess(time.monotonic() - started, 2 + 3 * SLOWER)

    def test_slow_clients_lose_their_socket_to_a_request_that_waits(self):
        """One is cut, since one of two sockets is their share; counted, logged once for the client."""
        daemon = self.start(two_versions(limits={"max_sockets": 2}), up=("v1",))
        for _ in range(2):
            client = Client(daemon.port, timeout=30 * SLOWER, receive_buffer=4096)
            self.addCleanup(client.close)
            client.send(request("/big?n=67108864"))
        counter = 'grayd_failures_total{service="web",version="v1",reason="slow-client"} 1'

        def cut():
            self.assertEqual(daemon.get("/length").status, 200)
            return counter in daemon.ctl("metrics").out
        eventually(cut, 10, counter)
        eventually(lambda: [(entry["path"], entry["status"]) for entry in daemon.access_log()
                            if entry["reason"] == "slow-client"] == [("/big", 200)], 5, "the line of the access log")
        self.assertEqual(daemon.log().count("slow-client: a request of 127.0.0.1 to web@v1#0 was cut: the client was "
                                            "slow while other requests waited"), 1)
        self.assertEqual(daemon.version("v1")["errors"], 0)
