"""A router is replaced under load without one failed request; whatever is wrong with the new one, the old serves on."""
import os
import signal
import subprocess
import threading
import time

from harness import BUILD, SLOWER, GrayTest, children_of, command_line, eventually, fake, faulty, two_versions
from steady_load import SteadyLoad


def quick(**changes):
    """v1 answers quickly, v2 streams and takes bodies."""
    web = two_versions(version={"v1": {"command": faulty(), "ready": ["pipe"]}, "v2": {"command": fake()}})
    web["version"]["v1"].update(changes)
    return web


def routers(daemon):
    """Pids of the router processes that live, oldest first."""
    return [pid for pid in children_of(daemon.process.pid) if "router" in command_line(pid)[1:2]]


class Waiting:
    """A grayctl that runs beside the test."""

    def __init__(self, daemon, *args):
        program = [os.path.join(BUILD, "grayctl"), "--socket", daemon.admin, *args]
        self.process = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self):
        """(exit code, stdout, last line of stderr)"""
        out, err = self.process.communicate(timeout=60 * SLOWER)
        return self.process.returncode, out.strip(), err.strip().split("\n")[-1]


class UnderLoad(GrayTest):
    def test_five_replacements_lose_nothing(self):
        daemon = self.start(quick())
        with SteadyLoad(daemon.port, kept=8, short=8, streams=4, uploads=2) as load:
            print(f"seed {load.seed}")
            seen = {daemon.router()}
            for _ in range(5):
                result = daemon.ctl("upgrade", "router", "-o", "json", timeout=60)
                self.assertEqual(result.code, 0, result)
                fresh = result.json()["upgrade"]["pid"]
                self.assertIn(fresh, routers(daemon))
                self.assertNotIn(fresh, seen)
                seen.add(fresh)
        print(load.figures)
        self.assertEqual((load.figures.failed, load.figures.truncated), (0, 0), load.figures)
        self.assertTrue(all(load.figures.answered.values()), load.figures)
        eventually(lambda: len(routers(daemon)) == 1, 20, "the end of the old routers")
        program = os.readlink(f"/proc/{routers(daemon)[0]}/exe")
        self.assertEqual(program, os.readlink(f"/proc/{daemon.process.pid}/exe"))

    def test_a_wrong_hand_over_is_seen(self):
        """The same clients, but the old router is killed instead of drained: the load must be able to see that."""
        daemon = self.start(quick())
        with SteadyLoad(daemon.port, kept=8, short=8, streams=4, uploads=2) as load:
            eventually(lambda: all(load.figures.answered.values()), 20, "answers of every kind")
            os.kill(daemon.router(), signal.SIGKILL)
            daemon.wait_answers()
        self.assertGreater(load.figures.failed + load.figures.truncated, 0, load.figures)


class Refused(GrayTest):
    """A stopped worker that passes for healthy (its next check is far away) keeps a new router from being ready."""

    def start_with_hung_worker(self):
        daemon = self.start(quick(health={"path": "/healthz", "interval": "60s", "timeout": "500ms"}))
        worker = daemon.pids("v1")[0]
        os.kill(worker, signal.SIGSTOP)
        self.addCleanup(os.kill, worker, signal.SIGCONT)
        return daemon, worker

    def new_router(self, daemon, old):
        eventually(lambda: daemon.status()["routers"][-1]["state"] == "greeted", 10, "a new router that proves itself")
        fresh = daemon.status()["routers"][-1]["pid"]
        self.assertNotEqual(fresh, old)
        return fresh

    def assert_untouched(self, daemon, old):
        eventually(lambda: routers(daemon) == [old], 10, "the old router alone")
        self.assertEqual([router["state"] for router in daemon.status()["routers"]], ["ready"])
        self.assertEqual(daemon.get("/?version=v2").status, 200)

    def test_a_new_router_that_dies_changes_nothing(self):
        daemon, _ = self.start_with_hung_worker()
        old = daemon.router()
        waiting = Waiting(daemon, "upgrade", "router")
        fresh = self.new_router(daemon, old)
        os.kill(fresh, signal.SIGKILL)
        code, _, error = waiting.end()
        self.assertEqual(code, 1)
        self.assertIn(f"the new router {fresh} failed while proving itself: signal 9", error)
        self.assert_untouched(daemon, old)

    def test_a_new_router_that_reaches_a_worker_in_vain_is_ended(self):
        daemon, _ = self.start_with_hung_worker()
        old = daemon.router()
        result = daemon.ctl("upgrade", "router", "--timeout", "2s")
        self.assertEqual(result.code, 5)
        self.assertRegex(result.err, r"still proving itself after 2s: web@v1#0: timed out; it is ended")
        self.assert_untouched(daemon, old)
        self.assertIn("upgrade-failed", daemon.ctl("events").out)

    def test_it_is_ready_once_the_worker_answers(self):
        daemon, worker = self.start_with_hung_worker()
        old = daemon.router()
        waiting = Waiting(daemon, "upgrade", "router")
        self.new_router(daemon, old)
        os.kill(worker, signal.SIGCONT)
        self.assertEqual(waiting.end()[0], 0)
        eventually(lambda: old not in routers(daemon), 20, "the end of the old router")

    def test_a_second_upgrade_and_a_reload_of_router_settings_conflict_with_the_first(self):
        daemon, worker = self.start_with_hung_worker()
        old = daemon.router()
        waiting = Waiting(daemon, "upgrade", "router")
        self.new_router(daemon, old)
        second = daemon.ctl("upgrade", "router")
        self.assertEqual(second.code, 3)
        self.assertIn("upgrade 1 of the router is under way", second.err)
        daemon.write_config({**daemon.config, "router": {"threads": 2, "max_connections": 77}})
        reload = daemon.ctl("reload")
        self.assertEqual(reload.code, 3, reload)
        self.assertIn("reload when it has ended", reload.err)
        self.assertEqual(daemon.ctl("shift", "web", "v2", "5").code, 0)
        os.kill(worker, signal.SIGCONT)
        self.assertEqual(waiting.end()[0], 0)
        self.assertEqual(daemon.ctl("reload").code, 0)

    def test_usage(self):
        self.start_shared(quick())
        for words in (["upgrade"], ["upgrade", "kitchen"], ["upgrade", "router", "x"],
                      ["upgrade", "router", "--timeout", "soon"]):
            self.assertEqual(self.shared.ctl(*words).code, 2, words)


class Generations(GrayTest):
    def test_a_fourth_router_waits_for_room(self):
        daemon = self.start(quick(drain_timeout="60s"))
        first = daemon.router()
        held = []
        for _ in range(2):  # a request in flight keeps each old router
            client = daemon.client()
            self.addCleanup(client.close)
            client.send(b"GET /?version=v2&ms=30000 HTTP/1.1\r\nHost: a\r\n\r\n")
            held.append(client)
            eventually(lambda: daemon.version("v2")["in_flight"] == len(held), 5, "the request in flight")
            self.assertEqual(daemon.ctl("upgrade", "router").code, 0)
        self.assertEqual(len(routers(daemon)), 3)
        late = daemon.ctl("upgrade", "router", "--timeout", "500ms")
        self.assertEqual(late.code, 5)
        self.assertRegex(late.err, rf"no room for another router within 500ms: router {first} drains \(6\d s at most\)")
        waiting = Waiting(daemon, "upgrade", "router")
        eventually(lambda: "waiting for room" in daemon.ctl("status").out, 5, "the wait for room")
        held[0].close()  # its request is given up, and the first router ends
        self.assertEqual(waiting.end()[0], 0)
        self.assertNotIn(first, routers(daemon))


class Crash(GrayTest):
    def test_a_router_that_dies_is_back_at_once_whatever_its_workers_do(self):
        daemon = self.start(quick(health={"path": "/healthz", "interval": "60s"}))
        os.kill(daemon.pids("v1")[0], signal.SIGSTOP)
        self.addCleanup(lambda worker: os.kill(worker, signal.SIGCONT), daemon.pids("v1")[0])
        old = daemon.router()
        os.kill(old, signal.SIGKILL)
        daemon.wait_answers("/?version=v2", timeout=5)
        self.assertNotEqual(daemon.router(), old)
