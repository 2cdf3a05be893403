"""A router, or grayd itself, is replaced under load without one failed request. Faults of a new router are
tested here, those of a new grayd in faults/replacement_test.py."""
import collections
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading

from harness import (BUILD, SLOWER, GrayTest, children_of, command_line, eventually, fake, faulty, free_port, rss_bytes,
                     two_versions)
from steady_load import SteadyLoad
from systemd_test import Manager


def quick(**changes):
    """v1 answers quickly, v2 streams and takes bodies."""
    web = two_versions(version={"v1": {"command": faulty(), "ready": ["pipe"]}, "v2": {"command": fake()}})
    web["version"]["v1"].update(changes)
    return web


def routers(daemon):
    """Pids of the router processes that live, oldest first."""
    return [pid for pid in children_of(daemon.process.pid) if "router" in command_line(pid)[1:2]]


def descriptors(pid):
    """The open descriptors of a process, by kind: a file or socket has its name, a pipe or an epoll set has none."""
    names = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            names.append(re.sub(r"^(pipe):\[\d+\]$", r"\1", os.readlink(f"/proc/{pid}/fd/{fd}")))
        except OSError:
            pass  # closed meanwhile
    return collections.Counter(names)


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

    def test_the_load_detects_a_killed_router(self):
        """The same clients, but the old router is killed instead of drained: the load must detect that."""
        daemon = self.start(quick())
        with SteadyLoad(daemon.port, kept=8, short=8, streams=4, uploads=2) as load:
            eventually(lambda: all(load.figures.answered.values()), 20, "answers of every kind")
            os.kill(daemon.router(), signal.SIGKILL)
            daemon.wait_answers()
        self.assertGreater(load.figures.failed + load.figures.truncated, 0, load.figures)


class Refused(GrayTest):
    """A stopped worker that still counts as healthy (its next check is far away): a new router is not ready."""

    def start_with_hung_worker(self):
        daemon = self.start(quick(health={"path": "/healthz", "interval": "60s", "timeout": "500ms"}))
        worker = daemon.pids("v1")[0]
        os.kill(worker, signal.SIGSTOP)
        self.addCleanup(os.kill, worker, signal.SIGCONT)
        return daemon, worker

    def new_router(self, daemon, old):
        eventually(lambda: daemon.status()["routers"][-1]["state"] == "greeted", 10, "a router in its warm-up check")
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
        self.assertIn(f"the new router {fresh} failed while running its warm-up check: signal 9", error)
        self.assert_untouched(daemon, old)

    def test_a_new_router_that_cannot_reach_a_worker_is_ended(self):
        daemon, _ = self.start_with_hung_worker()
        old = daemon.router()
        result = daemon.ctl("upgrade", "router", "--timeout", "2s")
        self.assertEqual(result.code, 5)
        self.assertRegex(result.err, r"still running its warm-up check after 2s: web@v1#0: GET \S+ with Host: \S+ "
                                     r"timed out; it is stopped")
        self.assert_untouched(daemon, old)
        self.assertIn("upgrade-failed", daemon.ctl("events").out)

    def test_a_new_router_is_ready_once_the_worker_answers(self):
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
        for words in (["upgrade", "kitchen"], ["upgrade", "--binary"], ["upgrade", "router", "x"],
                      ["upgrade", "router", "--binary", "/bin/true"],
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
    def test_a_dead_router_is_replaced_immediately_whatever_its_workers_do(self):
        daemon = self.start(quick(health={"path": "/healthz", "interval": "60s"}))
        os.kill(daemon.pids("v1")[0], signal.SIGSTOP)
        self.addCleanup(lambda worker: os.kill(worker, signal.SIGCONT), daemon.pids("v1")[0])
        old = daemon.router()
        os.kill(old, signal.SIGKILL)
        daemon.wait_answers("/?version=v2", timeout=5)
        self.assertNotEqual(daemon.router(), old)


class Itself(GrayTest):
    """grayd replaces itself by exec: same pid, same children, same sockets."""

    def family(self, daemon):
        return sorted(children_of(daemon.process.pid))

    def upgraded(self, daemon, *words):
        result = daemon.ctl("upgrade", *words, timeout=60)
        self.assertEqual(result.code, 0, result)
        self.assertIn(f"serves with the same pid {daemon.process.pid}", result.out)
        return result

    def test_two_replacements_under_load_lose_nothing(self):
        daemon = self.start(quick())
        self.assertEqual(daemon.ctl("shift", "web", "v2", "20").code, 0)
        pid, family = daemon.process.pid, self.family(daemon)
        with SteadyLoad(daemon.port) as load:
            print(f"seed {load.seed}")
            eventually(lambda: all(load.figures.answered.values()), 30, "answers of every kind")
            for _ in range(2):
                self.upgraded(daemon)
                before = dict(load.figures.answered)
                eventually(lambda: all(load.figures.answered[kind] > count for kind, count in before.items()), 30,
                           "further answers of every kind")
        print(load.figures)
        self.assertEqual((load.figures.failed, load.figures.truncated), (0, 0), load.figures)
        self.assertEqual((daemon.process.pid, self.family(daemon)), (pid, family))
        self.assertEqual(daemon.version("v2")["weight"], 20)

    def test_no_state_is_lost_and_no_resource_leaks(self):
        daemon = self.start(quick())
        pid = daemon.process.pid
        daemon.get("/say?version=v2&hex=" + b"said before\n".hex())
        eventually(lambda: "said before" in daemon.ctl("logs").out, 10, "the worker's words")
        self.upgraded(daemon)  # what a first one leaves behind is no leak
        status, open_before, memory = daemon.status(), descriptors(pid), rss_bytes(pid)
        for number in range(2, 21):
            result = daemon.ctl("upgrade", "-o", "json")
            self.assertEqual(result.code, 0, result)
            self.assertEqual(result.json()["upgrade"]["number"], number)
        now = daemon.status()
        self.assertGreater(now["uptime_s"], status["uptime_s"])
        for key in ("pid", "table", "listen", "state"):
            self.assertEqual(now[key], status[key])
        self.assertEqual([(one["pid"], one["slot"], one["state"]) for one in now["routers"]],
                         [(one["pid"], one["slot"], one["state"]) for one in status["routers"]])
        for old, new in zip(status["services"][0]["versions"], now["services"][0]["versions"]):
            self.assertEqual([(one["pid"], one["address"], one["restarts"], one["ready_by"]) for one in new["workers"]],
                             [(one["pid"], one["address"], one["restarts"], one["ready_by"]) for one in old["workers"]])
        eventually(lambda: descriptors(pid) == open_before, 10, "the same descriptors")
        self.assertLess(rss_bytes(pid) - memory, 2 << 20)
        events = daemon.ctl("events", "-n", "200").out
        self.assertEqual(events.count("grayd-started"), 1)
        self.assertEqual(events.count("  upgraded  "), 20)
        daemon.get("/say?version=v2&hex=" + b"said after\n".hex())
        eventually(lambda: re.search(r"(?s)said before.*said after", daemon.ctl("logs").out), 10, "both words")
        with open(f"/proc/{pid}/comm") as file:
            self.assertEqual(file.read(), "grayd\n")

    def test_all_verbs_work_after_it(self):
        proxied, metrics = free_port(), free_port()
        daemon = self.start(quick(), listen={"proxy_protocol": [f"127.0.0.1:{proxied}"],
                                             "metrics": f"127.0.0.1:{metrics}"},
                            router={"threads": 2, "trusted_proxies": ["127.0.0.0/8"]})
        self.upgraded(daemon)
        with daemon.client(proxied) as client:
            client.send(b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
            self.assertEqual(client.response().status, 200)
        with daemon.client(metrics) as client:
            self.assertIn(b"grayd_", client.ask("/metrics").body)
        moved = os.path.join(daemon.folder, "access.old")
        os.rename(os.path.join(daemon.folder, "access.log"), moved)
        daemon.process.send_signal(signal.SIGUSR1)
        eventually(lambda: os.path.exists(os.path.join(daemon.folder, "access.log")), 10, "a new access log")
        eventually(lambda: "access-log-reopened" in daemon.ctl("events").out, 10, "its event")
        daemon.get("/")
        eventually(lambda: daemon.access_log(), 10, "a line in it")
        self.assertEqual(daemon.ctl("shift", "web", "v2", "100").code, 0)
        self.assertEqual(daemon.ctl("restart", "web", "v1", timeout=60).code, 0)
        self.assertEqual(daemon.ctl("upgrade", "router", timeout=60).code, 0)
        daemon.write_config({**daemon.config, "service": {"web": quick(instances=2)}})
        self.assertEqual(daemon.ctl("reload").code, 0)
        eventually(lambda: len(daemon.pids("v1")) == 2, 20, "the second worker")
        victim = daemon.pids("v1")[0]
        os.kill(victim, signal.SIGKILL)
        eventually(lambda: len(daemon.pids("v1")) == 2 and victim not in daemon.pids("v1"), 20, "its successor")
        os.kill(daemon.router(), signal.SIGKILL)
        daemon.wait_answers()
        self.upgraded(daemon)

    def test_running_operations_continue_and_decisions_stay(self):
        web = quick(instances=3)
        web["version"]["v3"] = {"command": ["sh", "-c", "exit 3"], "ready": ["pipe"]}
        daemon = self.start(web)
        self.assertEqual(daemon.ctl("stop", "web", "v2", "--yes").code, 0)
        eventually(lambda: daemon.version("v3")["state"] == "failed", 20, "v3 failed")
        old = daemon.pids("v1")
        self.assertEqual(daemon.ctl("restart", "web", "v1", "--no-wait").code, 0)
        self.upgraded(daemon)
        eventually(lambda: (daemon.version("v1")["restart"] or {}).get("state") == "done", 30, "the end of the restart")
        self.assertEqual(daemon.version("v1")["restart"]["replaced"], 3)
        self.assertEqual(set(old) & set(daemon.pids("v1")), set())
        self.assertTrue(daemon.version("v2")["stopped"])
        self.assertEqual(daemon.version("v3")["state"], "failed")
        self.assertIn("died-before-ready", daemon.version("v3")["cause"])

    def test_a_follower_sees_no_gap(self):
        daemon = self.start(quick())
        follower = Waiting(daemon, "events", "-f")
        self.assertIn("grayd-started", follower.process.stdout.readline())
        self.upgraded(daemon)
        self.assertEqual(daemon.ctl("shift", "web", "v2", "7").code, 0)
        seen = [follower.process.stdout.readline()]
        while "takes 7% of the users" not in seen[-1]:
            seen.append(follower.process.stdout.readline())
            self.assertNotEqual(seen[-1], "", seen)
        follower.process.send_signal(signal.SIGINT)
        follower.end()
        self.assertRegex("".join(seen), r"(?s)  command  .*  upgraded  .*  shifted  ")

    def test_without_a_name_it_uses_the_binary_on_disk(self):
        """A package replaced the file: the running one is deleted."""
        place = os.path.join(self.folder(), "grayd")
        shutil.copy(os.path.join(BUILD, "grayd"), place)
        daemon = self._prepared(quick(), {})
        self._own.append(daemon)
        daemon.launch(prefix=["sh", "-c", f'shift; exec {place} "$@"', "sh"])
        daemon.wait_up(1, "v1", "v2").wait_answers()
        os.unlink(place)
        self.assertTrue(os.readlink(f"/proc/{daemon.process.pid}/exe").endswith(" (deleted)"))
        gone = daemon.ctl("upgrade")
        self.assertEqual(gone.code, 1, gone)
        self.assertIn(f"checking the program {place}: No such file or directory", gone.err)
        shutil.copy(os.path.join(BUILD, "grayd"), place)
        self.upgraded(daemon)
        self.assertEqual(os.readlink(f"/proc/{daemon.process.pid}/exe"), place)
        self.upgraded(daemon, "--binary", os.path.join(BUILD, "grayd"))
        self.upgraded(daemon)
        self.assertEqual(os.readlink(f"/proc/{daemon.process.pid}/exe"), os.path.join(BUILD, "grayd"))
        self.assertEqual(daemon.ctl("upgrade", "router", timeout=60).code, 0)
        self.assertEqual(os.readlink(f"/proc/{daemon.router()}/exe"), os.path.join(BUILD, "grayd"))

    def folder(self):
        path = tempfile.mkdtemp(prefix="grayd-test-")
        self.addCleanup(shutil.rmtree, path)
        return path

    def test_the_service_manager_gets_ready_and_watchdog_messages(self):
        manager = Manager(self)
        daemon = self._prepared(quick(), {})
        self._own.append(daemon)
        daemon.launch(env={"NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"})
        ready = manager.wait("READY=1")
        daemon.wait_answers()
        self.upgraded(daemon)
        manager.wait("RELOADING=1")
        self.assertEqual(manager.wait("READY=1", 2), ready)
        pings = manager.listen()[1]
        eventually(lambda: manager.listen()[1] >= pings + 5, what="the watchdog being told")
        self.assertEqual(daemon.stop(), 0)
        manager.wait("STOPPING=1")
