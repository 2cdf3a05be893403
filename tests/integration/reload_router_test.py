"""A reload that needs a new router: it succeeds when that router serves. If it cannot, nothing has changed."""
import os
import signal
import time

from harness import SLOWER, GrayTest, eventually, faulty, merged, two_versions
from upgrade_test import Waiting, routers


def settled(**changes):
    """v1 is checked once a minute: stopped, it still counts as healthy, and a new router waits for its answer."""
    version = {"command": faulty(), "ready": ["pipe"], "health": {"path": "/healthz", "interval": "60s",
                                                                  "timeout": "500ms"}}
    return two_versions(version={"v1": {**version, **changes}, "v2": {"command": faulty(), "ready": ["pipe"]}})


class NewRouter(GrayTest):
    def begin(self):
        self.daemon = self.start(settled())
        self.old = self.daemon.router()
        self.worker = self.daemon.pids("v1")[0]

    def hang(self):
        os.kill(self.worker, signal.SIGSTOP)
        self.addCleanup(os.kill, self.worker, signal.SIGCONT)

    def change(self, most):
        """Also a change of a version: it must not take effect before the router serves."""
        web = {"limits": {"queue": most}}
        self.daemon.write_config(merged(self.daemon.config, {"router": {"max_connections": most},
                                                             "service": {"web": web}}))

    def fresh_router(self):
        def greeted():
            last = self.daemon.status()["routers"][-1]
            return last["pid"] if last["pid"] != self.old and last["state"] == "greeted" else None
        return eventually(greeted, 10, "a new router in its warm-up check")

    def queue_limit(self):
        return self.daemon.version("v2")["queue"]["limit"]

    def assert_old_settings(self):
        eventually(lambda: routers(self.daemon) == [self.old], 10, "the old router alone")
        status = self.daemon.status()
        self.assertTrue(status["config_changed"])
        self.assertEqual(self.queue_limit(), 256)
        self.assertEqual(self.daemon.get("/?version=v2").status, 200)

    def test_it_is_answered_when_the_new_router_serves(self):
        self.begin()
        self.change(5000)
        result = self.daemon.ctl("reload", "-o", "json")
        self.assertEqual(result.code, 0, result)
        record = result.json()["upgrade"]
        self.assertEqual((record["of"], record["state"]), ("reload", "done"))
        self.assertIn(record["pid"], routers(self.daemon))
        self.assertIn("router: a new generation with the new settings", result.json()["changes"])
        self.assertEqual(self.queue_limit(), 5000)
        self.assertFalse(self.daemon.status()["config_changed"])

    def test_a_router_that_dies_fails_the_reload_and_changes_nothing(self):
        self.begin()
        self.hang()
        self.change(5000)
        waiting = Waiting(self.daemon, "reload")
        fresh = self.fresh_router()
        self.assertEqual(self.queue_limit(), 256)
        second = self.daemon.ctl("reload")
        self.assertEqual(second.code, 3, second)
        self.assertIn("a reload with a new router is under way", second.err)
        os.kill(fresh, signal.SIGKILL)
        code, out, error = waiting.end()
        self.assertEqual((code, out), (1, ""))
        self.assertIn(f"the new router {fresh} failed while running its warm-up check: signal 9", error)
        self.assertIn("the old configuration stays in force", error)
        self.assert_old_settings()
        self.assertIn("reload-refused", self.daemon.ctl("events").out)
        os.kill(self.worker, signal.SIGCONT)
        again = self.daemon.ctl("reload")
        self.assertEqual(again.code, 0, again)
        self.assertEqual(self.queue_limit(), 5000)

    def test_a_timeout_ends_the_new_router(self):
        self.begin()
        self.hang()
        self.change(5000)
        result = self.daemon.ctl("reload", "--timeout", "1s")
        self.assertEqual(result.code, 5, result)
        self.assertIn("it is stopped", result.err)
        self.assert_old_settings()

    def test_without_waiting_the_outcome_is_in_the_status(self):
        self.begin()
        self.change(5000)
        result = self.daemon.ctl("reload", "--no-wait")
        self.assertEqual((result.code, result.out), (0, "reload is in progress; see: grayctl status\n"), result)
        eventually(lambda: self.daemon.status()["upgrades"][-1]["state"] == "done", 10, "the end of the reload")
        self.assertEqual(self.queue_limit(), 5000)

    def test_sighup_logs_the_outcome(self):
        self.begin()
        self.hang()
        self.change(5000)
        self.daemon.process.send_signal(signal.SIGHUP)
        os.kill(self.fresh_router(), signal.SIGKILL)
        eventually(lambda: "not reloaded: the new router" in self.daemon.log(), 10, "the failure in the log")
        self.assert_old_settings()
        os.kill(self.worker, signal.SIGCONT)
        self.daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: "reloaded /" in self.daemon.log(), 10, "the success in the log")
        self.assertEqual(self.queue_limit(), 5000)

    def test_a_serving_router_that_dies_meanwhile_is_replaced_with_the_old_settings(self):
        self.begin()
        self.hang()
        self.change(5000)
        waiting = Waiting(self.daemon, "reload")
        self.fresh_router()
        os.kill(self.old, signal.SIGKILL)
        killed = time.monotonic()
        self.daemon.wait_answers("/?version=v2")
        print(f"service was back {(time.monotonic() - killed) * 1000:.0f} ms after the death of the old router")
        self.assertLess(time.monotonic() - killed, 2 * SLOWER)
        code, _, error = waiting.end()
        self.assertEqual(code, 1)
        self.assertIn("the old router died", error)
        self.old = routers(self.daemon)[0]
        self.assert_old_settings()
