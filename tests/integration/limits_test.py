"""Limits hold: sockets to a worker, waiting requests, memory; and the queue always makes progress."""
import json
import threading
import time

from harness import GrayTest, eventually, fake, rss_bytes, two_versions
from http_client import Client, request

CALM = {"interval": "60s"}  # probes out of the way


class LimitsTest(GrayTest):
    def start_limited(self, threads=1, flags=(), health=None, **limits):
        version = {"command": fake(*flags), "health": health or CALM, "ready": ["pipe"]}
        service = two_versions(limits=limits, version={"v1": version, "v2": version})
        return self.start(service, router={"threads": threads})

    def occupy(self, daemon, ms):
        """A request that holds a socket for a time; returns its client once the worker has the request."""
        client = daemon.client()
        client.send(request(f"/?ms={ms}&occupy"))
        eventually(lambda: daemon.version("v1")["in_flight"] >= 1, 5, "the request in flight")
        self.addCleanup(client.close)
        return client

    def waiting(self, daemon):
        return daemon.version("v1")["queue"]["waiting"]


class Sockets(LimitsTest):
    def test_the_limit_is_exact_across_threads(self):
        daemon = self.start_limited(threads=2, max_sockets=4, queue=500, queue_timeout="20s")
        statuses = []

        def press():
            with daemon.client() as client:
                for _ in range(5):
                    statuses.append(client.ask("/?ms=5").status)

        threads = [threading.Thread(target=press) for _ in range(48)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(statuses, [200] * 240)
        counts = json.loads(daemon.get("/counts").text)
        self.assertLessEqual(counts["most_open"], 5)  # 4 and a probe
        self.assertLessEqual(daemon.version("v1")["sockets"], 4)

    def test_idle_sockets_are_closed_after_upstream_idle(self):
        daemon = self.start_limited(max_sockets=4, upstream_idle="200ms")
        daemon.get()
        eventually(lambda: daemon.version("v1")["sockets"] == 0, 5, "the idle socket closing")
        self.assertEqual(daemon.get().status, 200)


class Queue(LimitsTest):
    def test_a_request_above_the_queue_limit_is_refused_immediately(self):
        daemon = self.start_limited(max_sockets=1, queue=1, queue_timeout="10s")
        first = self.occupy(daemon, 1500)
        with daemon.client() as second:
            second.send(request("/"))
            eventually(lambda: self.waiting(daemon) == 1, 1, "one request waiting")
            started = time.monotonic()
            third = daemon.get()
            self.assertLess(time.monotonic() - started, 0.5)
            self.assertEqual((third.status, third["x-gray-reason"]), (503, "queue-full"))
            self.assertGreaterEqual(int(third["retry-after"]), 1)
            self.assertEqual(first.response().status, 200)
            self.assertEqual(second.response().status, 200)
        self.assertEqual(self.waiting(daemon), 0)

    def test_a_request_that_waits_too_long_is_refused(self):
        daemon = self.start_limited(max_sockets=1, queue=5, queue_timeout="200ms")
        self.occupy(daemon, 1500)
        started = time.monotonic()
        response = daemon.get()
        self.assertEqual((response.status, response["x-gray-reason"]), (503, "queue-timeout"))
        self.assertGreaterEqual(int(response["retry-after"]), 1)
        self.assertGreaterEqual(time.monotonic() - started, 0.19)
        self.assertLess(time.monotonic() - started, 1.0)

    def test_without_a_queue_a_free_socket_still_serves(self):
        daemon = self.start_limited(max_sockets=1, queue=0)
        for _ in range(30):
            self.assertEqual(daemon.get().status, 200)
        self.occupy(daemon, 800)
        response = daemon.get()
        self.assertEqual((response.status, response["x-gray-reason"]), (503, "queue-full"))

    def test_a_client_that_disconnects_leaves_the_queue(self):
        daemon = self.start_limited(max_sockets=1, queue=1, queue_timeout="10s")
        first = self.occupy(daemon, 1500)
        leaver = daemon.client()
        leaver.send(request("/left"))
        eventually(lambda: self.waiting(daemon) == 1, 1, "one request waiting")
        leaver.close()
        eventually(lambda: self.waiting(daemon) == 0, 1, "the place being free")
        self.assertEqual(daemon.get("/stayed").status, 200)
        self.assertEqual(first.response().status, 200)
        seen = json.loads(daemon.get("/counts").text)["seen"]
        self.assertIn("/stayed", seen)
        self.assertNotIn("/left", seen)

    def test_refused_connects_advance_the_queue(self):
        daemon = self.start_limited(max_sockets=1, queue=50, queue_timeout="20s")
        self.assertEqual(daemon.get("/stop-listening").status, 200)
        clients = [daemon.client() for _ in range(20)]
        started = time.monotonic()
        for client in clients:
            client.send(request("/"))
        for client in clients:
            response = client.response()
            self.assertIn((response.status, response["x-gray-reason"]),
                          [(502, "connect-failed"), (503, "version-down")])
            client.close()
        self.assertLess(time.monotonic() - started, 5)
        self.assertEqual(self.waiting(daemon), 0)

    def test_failing_exchanges_advance_the_queue(self):
        daemon = self.start_limited(max_sockets=1, queue=50, queue_timeout="20s")
        clients = [daemon.client() for _ in range(15)]
        for i, client in enumerate(clients):
            client.send(request(("/garbage", "/die", "/")[i % 3]))
        for i, client in enumerate(clients):
            self.assertEqual(client.response().status, (502, 200, 200)[i % 3])
            client.close()
        self.assertEqual(daemon.version("v1")["in_flight"], 0)

    def test_versions_have_separate_queues(self):
        daemon = self.start_limited(max_sockets=1, queue=0)
        self.occupy(daemon, 1000)
        self.assertEqual(daemon.get("/?version=v2").status, 200)


class SlowReader(LimitsTest):
    def test_a_slow_reader_costs_no_memory_and_blocks_no_client(self):
        daemon = self.start_limited(max_sockets=8)
        router = daemon.router()
        daemon.get(f"/big?n={8 << 20}")
        before = rss_bytes(router)
        slow = [Client(daemon.port, receive_buffer=4096) for _ in range(4)]
        for client in slow:
            client.send(request(f"/big?n={64 << 20}"))
        for _ in range(100):
            self.assertEqual(daemon.get().status, 200)
        self.assertLess(rss_bytes(router) - before, 16 << 20)
        for client in slow:
            client.close()
        eventually(lambda: daemon.version("v1")["in_flight"] == 0, 5, "the slow ones being let go")

    def test_a_slow_reader_gets_everything_in_the_end(self):
        daemon = self.start_limited()
        with Client(daemon.port, receive_buffer=4096) as client:
            response = client.ask(f"/big?n={2 << 20}")
            self.assertEqual((len(response.body), response.complete), (2 << 20, True))


class Connections(GrayTest):
    def test_connections_beyond_the_limit_do_not_starve_those_within(self):
        daemon = self.start(router={"threads": 2, "max_connections": 20})
        inside = [daemon.client() for _ in range(10)]
        for client in inside:
            self.assertEqual(client.ask("/").status, 200)
        outside = [daemon.client() for _ in range(40)]
        for client in inside:
            self.assertEqual(client.ask("/").status, 200)
        for client in inside + outside:
            client.close()
        daemon.wait_answers()
