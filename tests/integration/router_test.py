"""The router is a child that may die: it is replaced immediately, and workers, limits and counters are not lost."""
import os
import signal
import time

from harness import SLOWER, GrayTest, eventually
from named_versions import hunt


class Kill(GrayTest):
    def test_a_killed_router_is_back_within_a_second(self):
        daemon = self.start()
        for _ in range(20):
            daemon.get("/?version=v2")
        workers = daemon.pids("v1") + daemon.pids("v2")
        before = eventually(lambda: daemon.version("v2")["requests"] == 20 and daemon.version("v2"), 5, "20 counted")
        old = daemon.router()
        os.kill(old, signal.SIGKILL)
        started = time.monotonic()
        daemon.wait_answers(timeout=5)
        self.assertLess(time.monotonic() - started, 1.0 * SLOWER)
        self.assertNotEqual(daemon.router(), old)
        self.assertEqual(daemon.pids("v1") + daemon.pids("v2"), workers)
        after = daemon.version("v2")
        self.assertEqual((after["requests"], after["errors"]), (before["requests"], before["errors"]))
        self.assertEqual(after["in_flight"], 0)

    def test_units_of_a_killed_router_are_returned(self):
        daemon = self.start()
        with daemon.client() as client:
            client.send(b"GET /?ms=5000 HTTP/1.1\r\nHost: a\r\n\r\n")
            eventually(lambda: daemon.version("v1")["in_flight"] == 1, 5, "the request in flight")
            os.kill(daemon.router(), signal.SIGKILL)
            self.assertTrue(client.is_closed())
        daemon.wait_answers("/?version=v2")
        version = eventually(lambda: daemon.version("v1")["sockets"] == 0 and daemon.version("v1"), 5, "sockets back")
        self.assertEqual((version["in_flight"], version["queue"]["waiting"]), (0, 0))

    def test_a_shift_while_the_router_is_dead_holds(self):
        daemon = self.start()
        os.kill(daemon.router(), signal.SIGKILL)
        self.assertEqual(daemon.ctl("shift", "web", "v2", "100").code, 0)
        response = daemon.wait_answers(headers={"Cookie": "uid=1"})
        self.assertEqual(response["x-gray-version"], "v2")

    def test_ten_kills_in_a_row_are_survived(self):
        daemon = self.start()
        for _ in range(10):
            os.kill(eventually(daemon.router, 5, "a router"), signal.SIGKILL)
            daemon.wait_answers(timeout=15)


class NamedVersions(GrayTest):
    def test_never_a_wrong_version(self):
        daemon = self.start()
        figures = hunt(daemon, requests=5_000)
        print(figures)
        self.assertEqual(figures.wrong, 0, figures)
        self.assertEqual(figures.refused, 0, figures.samples)
        self.assertGreaterEqual(figures.answered, 5_000)
        self.assertEqual(figures.kills, 1)
        self.assertGreater(figures.reloads, 0)
        self.assertLess(figures.unanswered, 50)
