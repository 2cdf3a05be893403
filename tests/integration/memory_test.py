"""A worker that uses more memory than its version allows is replaced, and no request fails. Who holds the memory of the
router, and how the memory of the workers changes, is shown by `grayctl memory`."""
import json
import os
import signal
import sys
import time

from faults.matrix import Clients, events_of, wait_event
from harness import BUILD, GrayTest, SLOWER, eventually, fake, merged, rss_bytes, run_program, two_versions
from http_client import Client, request

LIMIT = 64 << 20
STABLE_RUN = 30  # seconds that a worker has run before it is replaced for this
# Becomes a fake that uses more memory than the limit, in a separate process, once the file exists.
HEAVY = ("import os, sys, time\n"
         "if os.fork() == 0:\n"
         "    while not os.path.exists(sys.argv[1]): time.sleep(0.05)\n"
         "    os.rename(sys.argv[1], sys.argv[1] + '.eaten')\n"
         f"    eaten = b'x' * {LIMIT}\n"
         "    time.sleep(300)\n"
         "os.execv(sys.argv[2], sys.argv[2:])\n")


class Memory(GrayTest):
    def test_a_worker_above_its_memory_limit_is_replaced(self):
        daemon = self._prepared(two_versions(version={"v2": None}), {})
        self._own.append(daemon)
        trigger = f"{daemon.folder}/eat"
        heavy = {"command": [sys.executable, "-c", HEAVY, trigger, *fake()], "ready": ["pipe"], "memory": "64MiB",
                 "instances": 2}
        daemon.write_config(merged(daemon.config, {"service": {"web": {"version": {"v1": heavy}}}}))
        daemon.launch().wait_up(2, "v1").wait_answers()
        clients = Clients(daemon)
        self.addCleanup(clients.stop)
        before = daemon.pids("v1")
        self.assertLess(max(map(rss_bytes, before)), LIMIT)
        with open(trigger, "w"):
            pass
        event = wait_event(daemon, "v1", "worker-restarting", timeout=STABLE_RUN + 30)
        self.assertEqual(event["cause"], "memory")
        self.assertIn(event["pid"], before)
        self.assertRegex(event["text"],
                         r"^it holds \d+MiB, more than 64MiB; a new worker starts first, then it drains$")
        kept, = set(before) - {event["pid"]}
        after = eventually(lambda: len(pids := daemon.pids("v1")) == 2 and event["pid"] not in pids and pids, 30,
                           "two workers without that one")
        self.assertIn(kept, after)
        exited = wait_event(daemon, "v1", "worker-exited")
        self.assertEqual((exited["pid"], exited["cause"]), (event["pid"], "stopped"))
        fresh = [other for other in events_of(daemon, "v1", "worker-healthy") if other["pid"] not in before]
        self.assertLess(event["sequence"], fresh[0]["sequence"])
        self.assertLess(fresh[0]["sequence"], exited["sequence"])
        clients.stop()
        self.assertEqual(clients.failures, [])
        self.assertEqual(len(events_of(daemon, "v1", "worker-restarting")), 1)
        # A lower limit holds at once for who runs: the other one is above it, and by now has run long enough.
        lower = {"service": {"web": {"version": {"v1": {"memory": "1MiB"}}}}}
        daemon.write_config(merged(daemon.config, lower))
        self.assertEqual(daemon.ctl("reload").code, 0)
        self.assertEqual(wait_event(daemon, "v1", "worker-restarting", 2)["pid"], kept)


OWNERS = {"client-connections", "upstream-connections", "queue", "tunnels", "pools", "logs", "event-loops",
          "routing-tables", "segment", "allowlists", "code", "stacks", "free-heap", "kernel-sockets"}
SANITIZED = "san" in os.path.basename(BUILD)
CALM = {"interval": "60s"}  # probes out of the way
AGREES = 0.10               # of the size of the process: what nobody is known to hold
LONGEST_TURN = 10_000       # microseconds for which a report may hold up a thread, generously


class Holders(GrayTest):
    def start_calm(self, threads=1, config=None, **limits):
        version = {"command": fake(), "health": CALM, "ready": ["pipe"]}
        service = two_versions(limits=limits, version={"v1": version, "v2": version})
        return self.start(service, router={"threads": threads}, **(config or {}))

    def memory(self, daemon, *args):
        result = daemon.ctl("memory", "-o", "json", *args)
        self.assertEqual((result.code, result.err), (0, ""))
        return result.json()

    def share(self, report, owner, version=None):
        found = [one for one in report["owners"] if (one["owner"], one["version"]) == (owner, version)]
        return found[0] if found else {"count": 0, "bytes": 0, "high_water_bytes": 0}

    def check_sum(self, daemon, report):
        """The sum of all owners is near the size of the process."""
        rss = rss_bytes(daemon.router())
        self.assertLess(abs(report["rss_bytes"] - rss), 0.1 * rss + (256 << 10))
        known = sum(one["bytes"] for one in report["owners"] if one["owner"] != "kernel-sockets")
        self.assertEqual(report["accounted_bytes"], known)
        if not SANITIZED:  # their allocators do not count
            self.assertLess(abs(report["rss_bytes"] - known), AGREES * report["rss_bytes"], report)

    def test_the_sum_is_near_the_size_of_the_process(self):
        daemon = self.start_calm(threads=2)
        report = self.memory(daemon)
        self.assertEqual(report["schema_version"], 1)
        self.assertLessEqual({"rss_bytes", "accounted_bytes", "owners", "largest", "leaks"}, set(report))
        self.assertEqual({one["owner"] for one in report["owners"]}, OWNERS)
        self.assertLessEqual({"owner", "version", "count", "bytes", "high_water_bytes"}, set(report["owners"][0]))
        self.assertEqual(report["leaks"], [])
        self.check_sum(daemon, report)
        before = self.share(report, "client-connections")["bytes"]
        clients = [daemon.client() for _ in range(300)]
        self.addCleanup(lambda: [client.close() for client in clients])
        for client in clients:
            self.assertEqual(client.ask("/").status, 200)
        full = self.memory(daemon)
        self.check_sum(daemon, full)
        idle = self.share(full, "client-connections")
        self.assertEqual(idle["count"], 300)
        self.assertLess((idle["bytes"] - before) / 300, 1_500)
        self.assertLess(full["routers"][0]["longest_turn_us"], LONGEST_TURN * SLOWER)
        for client in clients:
            client.close()

        def gone():
            report = self.memory(daemon)
            share = self.share(report, "client-connections")
            return share["count"] == 0 and share["high_water_bytes"] >= idle["bytes"] and report
        self.check_sum(daemon, eventually(gone, 5, "the clients being gone and their peak being kept"))

    def test_a_slow_reader_is_named_with_what_it_waits_for(self):
        daemon = self.start_calm(max_sockets=8)
        with Client(daemon.port, receive_buffer=4096) as slow:
            slow.send(request(f"/big?n={64 << 20}&slow"))

            def shown():
                largest = self.memory(daemon)["largest"]
                return [one for one in largest if one["owner"] == "client-connections"
                        and one["waits_for"] == "client to read" and one["bytes"] > 4096]
            holder = eventually(shown, 10, "the slow reader")[0]
            self.assertEqual((holder["version"], holder["path"]), ("v1", f"/big?n={64 << 20}&slow"))
            self.assertTrue(holder["client"].startswith("127.0.0.1:"))
            self.assertGreater(holder["kernel_bytes"], 4096)
            self.assertLess(holder["age_s"], 30 * SLOWER)
            report = self.memory(daemon)
            self.check_sum(daemon, report)
            self.assertGreater(self.share(report, "kernel-sockets", "v1")["bytes"], holder["kernel_bytes"] // 2)
            table = daemon.ctl("memory")
            self.assertEqual((table.code, table.err), (0, ""))
            self.assertIn("client to read", table.out)
            self.assertIn("more in sockets of the kernel", table.out)
            self.assertTrue(all(len(line) <= 80 for line in table.out.splitlines()), table.out)

    def test_requests_that_wait_belong_to_the_queue_of_their_version(self):
        daemon = self.start_calm(max_sockets=1, queue=50, queue_timeout="20s")
        before = self.memory(daemon)
        self.assertEqual(self.share(before, "queue", "v1")["bytes"], 0)
        clients = [daemon.client() for _ in range(10)]
        self.addCleanup(lambda: [client.close() for client in clients])
        clients[0].send(request("/?ms=2500&first"))
        eventually(lambda: daemon.version("v1")["in_flight"] == 1, 5, "the request at the worker")
        for client in clients[1:]:
            client.send(request("/?queued"))
        eventually(lambda: daemon.version("v1")["queue"]["waiting"] == 9, 5, "nine requests waiting")
        report = self.memory(daemon)
        self.assertEqual(self.share(report, "queue", "v1")["count"], 9)
        queued = [one for one in report["largest"] if one["owner"] == "queue"]
        self.assertTrue(queued)
        self.assertEqual({(one["waits_for"], one["path"]) for one in queued}, {("a socket of v1", "/?queued")})
        at_worker, = [one for one in report["largest"] if one["path"] == "/?ms=2500&first"
                      and one["owner"] == "client-connections"]
        self.assertEqual((at_worker["waits_for"], at_worker["worker"]), ("worker to answer", "web@v1#0"))
        for client in clients:
            self.assertEqual(client.response().status, 200)

    def test_a_hostile_path_cannot_control_the_terminal(self):
        daemon = self.start_calm(max_sockets=1, queue_timeout="20s")
        with daemon.client() as first, daemon.client() as hostile:
            first.send(request("/?ms=1500"))
            eventually(lambda: daemon.version("v1")["in_flight"] == 1, 5, "the request at the worker")
            hostile.send(request("/").replace(b"GET / ", "GET /?\u202e\u009b31m ".encode()))
            time.sleep(0.2)  # it may be refused or wait: neither may reach the terminal
            out = daemon.ctl("memory").out + daemon.ctl("memory", "-o", "json").out
            for control in ("\x1b", "\u202e", "\u009b"):
                self.assertNotIn(control, out)

    def test_two_moments_are_compared(self):
        daemon = self.start_calm()
        report = self.memory(daemon, "--diff", "1")
        self.assertEqual(report["seconds"], 1)
        for name in ("rss", "accounted", "kernel"):
            self.assertIsInstance(report[f"{name}_change_bytes"], int)
        self.assertLessEqual({"count_change", "bytes_change"}, set(report["owners"][0]))
        table = daemon.ctl("memory", "--diff", "1")
        self.assertEqual(table.code, 0)
        self.assertIn("BYTES+-", table.out)
        self.assertIn("in 1 s: process ", table.out)

    def test_a_router_that_does_not_answer_is_an_error_after_a_second(self):
        daemon = self.start_calm()
        router = daemon.router()
        os.kill(router, signal.SIGSTOP)
        try:
            started = time.monotonic()
            result = daemon.ctl("memory")
            self.assertEqual(result.code, 5)
            self.assertIn(f"router {router} did not answer within a second", result.err)
            self.assertLess(time.monotonic() - started, 3 * SLOWER)
            self.assertEqual(daemon.ctl("status").code, 0)
        finally:
            os.kill(router, signal.SIGCONT)
        self.assertEqual(daemon.ctl("memory").code, 0)

    def test_a_draining_router_is_counted_beside_the_new_one(self):
        daemon = self.start_calm()
        with daemon.client() as held:
            held.send(request("/?ms=3000"))
            eventually(lambda: daemon.version("v1")["in_flight"] == 1, 5, "the request at the worker")
            self.assertEqual(daemon.ctl("upgrade", "router").code, 0)
            report = self.memory(daemon)
            self.assertEqual(sorted(one["state"] for one in report["routers"]), ["draining", "ready"])
            self.assertTrue(all(one["answered"] for one in report["routers"]))
            self.assertEqual(report["largest"][0]["path"], "/?ms=3000")
            self.assertEqual(held.response().status, 200)

    def test_wrong_options_and_no_daemon(self):
        daemon = self.start_calm()
        for wrong in ("0", "-1", "x", "1h", "3601"):
            result = daemon.ctl("memory", f"--diff={wrong}")
            self.assertEqual(result.code, 2, result)
            self.assertIn("--diff takes a whole number of seconds from 1 to 3600", result.err)
        self.assertEqual(daemon.ctl("memory", "web").code, 2)
        self.assertIn('did you mean "memory"', daemon.ctl("memry").err)
        self.assertIn("grayctl memory --diff 10", daemon.ctl("memory", "--help").out)
        self.assertEqual(run_program("grayctl", "--socket", "/nowhere/grayd.sock", "memory").code, 7)
        as_json = daemon.ctl("memory", "--diff=0", "-o", "json")
        self.assertEqual(json.loads(as_json.out)["exit_code"], 2)


class OfWorkers(GrayTest):
    def test_the_memory_of_the_group_is_in_status_metrics_and_the_table(self):
        daemon = self.start()
        worker = eventually(lambda: [one for one in daemon.version("v1")["workers"] if one["memory_bytes"] > 1 << 20],
                            10, "the memory of a worker")[0]
        self.assertLess(abs(worker["memory_bytes"] - worker["rss_bytes"]), worker["rss_bytes"])
        self.assertIn(f'grayd_worker_memory_bytes{{service="web",version="v1",worker="{worker["id"]}"}} ',
                      daemon.ctl("metrics").out)
        report = daemon.ctl("memory", "--workers", "-o", "json").json()
        self.assertEqual((report["schema_version"], report["interval_s"]), (1, 30))
        shown = {one["id"]: one for version in report["versions"] for one in version["workers"]}
        self.assertGreater(shown[worker["id"]]["memory_bytes"], 1 << 20)
        self.assertEqual({(one["version"], one["stable"]) for one in report["versions"]}, {("v1", True), ("v2", False)})
        table = daemon.ctl("memory", "--workers")
        self.assertEqual((table.code, table.err), (0, ""))
        self.assertIn("web v1*: - per 1,000 requests to each worker\n", table.out)
        self.assertEqual(daemon.ctl("memory", "--workers", "--diff", "2").code, 2)

    def test_the_last_hour_survives_a_new_grayd(self):
        daemon = self.start()

        def samples():
            report = daemon.ctl("memory", "--workers", "-o", "json").json()
            return [one["samples"] for version in report["versions"] for one in version["workers"]]
        eventually(lambda: all(samples()), 40, "a sample of each worker")
        before = samples()
        self.assertEqual(daemon.ctl("upgrade").code, 0)
        after = samples()
        self.assertEqual([one[0]["bytes"] for one in after], [one[0]["bytes"] for one in before])
