"""Processes: which are started, which are replaced, which are left alone, and that no process is left at the end."""
import os
import shlex
import signal
import threading
import time
import unittest

from harness import ROOT, GrayTest, eventually, fake, faulty, is_alive, merged, two_versions
from http_client import request


class Replacement(GrayTest):
    def test_a_killed_worker_costs_no_request_and_comes_back(self):
        version = {"command": faulty("--delay", "2"), "ready": ["pipe"], "instances": 2}
        daemon = self.start(two_versions(version={"v1": version, "v2": {"command": fake()}}))
        daemon.wait_up(2, "v1")
        victim = daemon.pids("v1")[0]
        failures, served, stop = [], [0], threading.Event()

        def press():
            with daemon.client() as client:
                while not stop.is_set():
                    response = client.ask("/")
                    if response is None or response.status != 200 or not response.complete:
                        failures.append(response)
                        return
                    served[0] += 1

        threads = [threading.Thread(target=press) for _ in range(32)]
        for thread in threads:
            thread.start()
        eventually(lambda: served[0] > 500, 10, "load")
        os.kill(victim, signal.SIGKILL)
        killed_at = served[0]
        eventually(lambda: served[0] > killed_at + 2000 or failures, 20, "load after the kill")
        eventually(lambda: len(daemon.pids("v1")) == 2 and victim not in daemon.pids("v1"), 15, "the worker being back")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        worker = next(worker for worker in daemon.version("v1")["workers"] if worker["restarts"] > 0)
        self.assertIn("9", worker["last_exit"])

    def test_a_worker_that_ends_by_itself_is_replaced(self):
        daemon = self.start()
        before = daemon.pids("v1")
        daemon.get("/exit?code=7")
        eventually(lambda: daemon.pids("v1") not in ([], before), 15, "a new worker")
        self.assertIn("7", daemon.version("v1")["workers"][0]["last_exit"])
        daemon.wait_answers()


class Readiness(GrayTest):
    def start_canary(self, *flags, up=("v1",), **settings):
        canary = merged({"command": fake(*flags), "ready": ["pipe"], "ready_timeout": "300ms"}, settings)
        return self.start(two_versions(version={"v2": canary}), up=up)

    def assert_fails_alone(self, daemon, pids):
        eventually(lambda: daemon.version("v2")["state"] == "failed", 60, "v2 failing")
        self.assertEqual(daemon.pids("v1"), pids)
        self.assertEqual(daemon.version("v1")["state"], "serving")
        self.assertEqual(daemon.get().status, 200)
        response = daemon.get("/?version=v2")
        self.assertEqual((response.status, response["x-gray-reason"]), (503, "version-down"))

    def test_never_ready_fails_and_stable_is_untouched(self):
        daemon = self.start_canary("--ready", "none")
        self.assert_fails_alone(daemon, daemon.pids("v1"))

    def test_dead_before_ready_fails_with_its_exit_code(self):
        daemon = self.start_canary("--exit", "3", ready_timeout="60s")
        self.assert_fails_alone(daemon, daemon.pids("v1"))
        self.assertIn("giving up with 3", daemon.log())

    def test_garbage_on_the_ready_channel_is_not_ready(self):
        daemon = self.start_canary("--ready", "garbage")
        self.assert_fails_alone(daemon, daemon.pids("v1"))

    def test_the_readiness_method_is_reported(self):
        daemon = self.start_canary("--ready", "ipc", ready=["pipe", "ipc"], ready_timeout="10s", up=("v1", "v2"))
        self.assertEqual(daemon.version("v1")["workers"][0]["ready_by"], "pipe")
        self.assertEqual(daemon.version("v2")["workers"][0]["ready_by"], "ipc")

    def test_a_tcp_probe_is_enough(self):
        daemon = self.start_canary("--ready", "none", ready=["tcp"], ready_timeout="10s", up=("v1", "v2"))
        self.assertEqual(daemon.version("v2")["workers"][0]["ready_by"], "tcp")

    def test_the_node_sample_serves_without_readiness_settings(self):
        canary = {"command": ["node", os.path.join(ROOT, "workers/node/hello.js")]}
        daemon = self.start(two_versions(version={"v2": {**canary, "ready": "auto"}}))
        self.assertEqual(daemon.get("/?version=v2").status, 200)

    def test_failing_health_checks_take_a_worker_out(self):
        health = {"path": "/status?code=503", "interval": "100ms", "rise": 1, "fall": 2}
        daemon = self.start_canary(health=health, ready_timeout="10s")
        eventually(lambda: daemon.get("/?version=v2").status == 503, 10, "v2 being out")


class Ending(GrayTest):
    def test_sigterm_drains_and_leaves_nothing(self):
        daemon = self.start()
        with daemon.client() as busy, daemon.client() as idle:
            idle.ask("/")
            busy.send(request("/?ms=1200"))
            eventually(lambda: daemon.version("v1")["in_flight"] == 1, 5, "the request in flight")
            daemon.process.send_signal(signal.SIGTERM)
            started = time.monotonic()
            self.assertTrue(idle.is_closed())
            self.assertLess(time.monotonic() - started, 1.0)
            response = busy.response()
            self.assertEqual((response.status, response.text), (200, "v1\n"))
            self.assertEqual(response["connection"], "close")
        self.assertEqual(daemon.process.wait(15), 0)
        self.assertEqual(daemon.leftovers(), [])

    def test_a_worker_that_ignores_sigterm_is_killed(self):
        ignores_term = {"command": fake("--ignore-term"), "ready": ["pipe"], "stop": {"timeout": "500ms"}}
        daemon = self.start(two_versions(version={"v2": ignores_term}))
        started = time.monotonic()
        self.assertEqual(daemon.stop(), 0)
        self.assertGreaterEqual(time.monotonic() - started, 0.4)
        self.assertLess(time.monotonic() - started, 6)
        self.assertEqual(daemon.leftovers(), [])

    def wrapped(self):
        """v1 and v2 behind a wrapper that ends at once on SIGTERM, as npm and sh -c do; each has some work left."""
        def version(name):
            worker = shlex.join(fake("--last-work", name))
            return {"command": ["sh", "-c", f"{worker} & wait"], "ready": ["pipe"], "cwd": "."}
        return self.start(two_versions(version={name: version(name) for name in ("v1", "v2")}))

    def work_of(self, daemon, version):
        try:
            with open(os.path.join(daemon.folder, version)) as file:
                return file.read().splitlines()
        except FileNotFoundError:
            return []

    def test_a_worker_behind_a_wrapper_finishes_its_work_whatever_stops_it(self):
        daemon = self.wrapped()
        done = 0
        for verb in ("stop", "drain"):
            result = daemon.ctl(verb, "web", "v2")
            self.assertEqual(result.code, 0, result)
            self.assertNotIn("killed", result.err)
            done += 1
            self.assertEqual(len(self.work_of(daemon, "v2")), done, verb)
            self.assertEqual(daemon.ctl("start", "web", "v2").code, 0)
        self.assertEqual(daemon.ctl("restart", "web", "v2").code, 0)
        self.assertEqual(len(self.work_of(daemon, "v2")), done + 1)
        changed = {"env": {"CHANGED": "1"}}
        daemon.write_config(merged(daemon.config, {"service": {"web": {"version": {"v2": changed}}}}))
        self.assertEqual(daemon.ctl("reload", "--wait").code, 0)
        self.assertEqual(len(self.work_of(daemon, "v2")), done + 2)
        self.assertEqual(daemon.ctl("stop", "web", "v2", "--no-wait").code, 0)
        self.assertEqual(daemon.ctl("upgrade").code, 0)  # during the stop
        eventually(lambda: daemon.version("v2")["state"] == "stopped", 10, "the end of v2")
        self.assertEqual(len(self.work_of(daemon, "v2")), done + 3)
        self.assertEqual(daemon.ctl("start", "web", "v2").code, 0)
        daemon.write_config(merged(daemon.config, {"service": {"web": {"version": {"v2": None}}}}))
        self.assertEqual(daemon.ctl("reload").code, 0)
        eventually(lambda: len(self.work_of(daemon, "v2")) == done + 4, 10, "the work of a removed version")
        self.assertEqual(daemon.stop(), 0)
        self.assertEqual(len(self.work_of(daemon, "v1")), 1)
        self.assertEqual(daemon.leftovers(), [])

    def test_a_stop_that_runs_into_its_timeout_says_so(self):
        ignores_term = {"command": fake("--ignore-term"), "ready": ["pipe"], "stop": {"timeout": "300ms"},
                        "instances": 2}
        daemon = self.start(two_versions(version={"v1": ignores_term, "v2": ignores_term}))
        daemon.wait_up(2, "v2")
        said = "it did not end within 300ms of SIGTERM and was killed"
        result = daemon.ctl("stop", "web", "v2")
        self.assertEqual(result.code, 0)
        self.assertEqual(result.out, "web v2 stopped\n")
        self.assertRegex(result.err, rf"grayctl: 2 workers were killed, the last one: worker web@v2#\d: {said}")
        exits = [event for event in daemon.ctl("events", "-o", "json", "web", "v2").json()["events"]
                 if event["kind"] == "worker-exited"]
        self.assertEqual([event["cause"] for event in exits], ["stop-timeout"] * 2)
        for event in exits:
            self.assertIn(said, event["text"])
        self.assertEqual(daemon.version("v2")["late_stops"]["workers"], 2)
        self.assertEqual(daemon.ctl("start", "web", "v2").out, "web v2 started: 2 of 2 workers healthy\n")
        self.assertIsNone(daemon.version("v2")["late_stops"])
        self.assertIn(said, daemon.ctl("restart", "web", "v1").err)
        self.assertEqual(daemon.stop(), 0)
        self.assertGreaterEqual(daemon.log().count(said), 7)

    def test_nothing_survives_a_killed_grayd_and_the_next_start_works(self):
        version = {"command": fake("--grandchild", "group"), "ready": ["pipe"]}
        daemon = self.start(two_versions(version={"v1": version, "v2": version}))
        self.assertGreaterEqual(len(daemon.leftovers()), 6)  # grayd, its router, two workers, two grandchildren
        daemon.kill()
        eventually(lambda: not daemon.leftovers(), 1.0, "every process ending")
        daemon.launch().wait_up(1, "v1", "v2").wait_answers()

    def test_a_grandchild_in_a_separate_session_does_not_survive(self):
        version = {"command": fake("--grandchild", "setsid"), "ready": ["pipe"]}
        daemon = self.start(two_versions(version={"v1": version, "v2": {"command": fake()}}))
        with open(f"/proc/{daemon.pids('v1')[0]}/cgroup") as worker, open("/proc/self/cgroup") as own:
            if worker.read() == own.read():
                daemon.kill()
                eventually(lambda: len(daemon.leftovers()) <= 1, 1.0, "all but the one in its own session ending")
                daemon.launch().wait_up(1, "v1", "v2").wait_answers()
                self.assertEqual(len([pid for pid in daemon.leftovers() if is_alive(pid)]), 5)
                raise unittest.SkipTest("no separate cgroup here; the next start removed it")
        daemon.kill()
        eventually(lambda: not daemon.leftovers(), 1.0, "every process ending")

    def test_a_flood_on_stdout_does_not_hurt(self):
        version = {"command": fake("--flood", "64"), "ready": ["pipe"]}
        daemon = self.start(two_versions(version={"v1": version, "v2": {"command": fake()}}))
        pids = daemon.pids("v1")
        for _ in range(100):
            started = time.monotonic()
            self.assertEqual(daemon.get("/?version=v2").status, 200)
            self.assertLess(time.monotonic() - started, 1.0)
        self.assertEqual(daemon.ctl("status").code, 0)
        self.assertEqual(daemon.pids("v1"), pids)
