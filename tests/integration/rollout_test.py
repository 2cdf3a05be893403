"""A rollout from outside: its steps, its end by itself, and the commands of an operator, under load."""
import os
import signal
import statistics
import time

from harness import SLOWER, GrayTest, eventually, faulty, merged, two_versions
from users import Users

STEPS = ("--steps", "10,50,100", "--hold", "1s")


def beside(*flags, **v2):
    """v1 is good; v2 is a build with these faults."""
    return two_versions(version={"v1": {"command": faulty()}, "v2": merged({"command": faulty(*flags)}, v2)})


class RolloutTest(GrayTest):
    def refused(self, code, *args):
        result = self.daemon.ctl(*args)
        self.assertEqual(result.code, code, result)
        return result.err

    def rollout(self):
        return self.daemon.ctl("rollout", "status", "web", "-o", "json").json()

    def weight(self):
        return self.daemon.version("v2")["weight"]

    def wait_weight(self, weight, timeout=20):
        eventually(lambda: self.weight() == weight, timeout, f"a weight of {weight}")


class Ends(RolloutTest):
    def test_a_good_version_is_promoted_by_itself(self):
        self.daemon = self.start(beside())
        with Users(self.daemon.port) as users:
            self.ok("rollout", "start", "web", "v2", *STEPS)
            self.assertIn("is the stable version of web already", self.refused(2, "rollout", "start", "web", "v1"))
            self.assertIn("a rollout of web v2 is", self.refused(3, "rollout", "start", "web", "v2"))
            self.assertIn("decides the weights", self.refused(3, "shift", "web", "v2", "7"))
            waited = self.daemon.ctl("rollout", "status", "web", "--wait", "--timeout", "60s", timeout=70)
        self.assertEqual(waited.code, 0, waited)
        self.assertEqual(users.failed, [])
        self.assertEqual(self.daemon.status()["services"][0]["stable"], "v2")
        end = self.rollout()
        self.assertEqual((end["state"], end["step"], end["steps"]), ("promoted", 3, [10, 50, 100]))
        self.assertEqual(end["verdict"]["result"], "pass")
        self.assertIn("to go back: grayctl undo web", waited.out)

    def test_a_bad_version_loses_its_users_within_seconds(self):
        self.daemon = self.start(beside("--error-rate", "0.2"))
        with Users(self.daemon.port) as users:
            eventually(lambda: sum(users.served.values()) > 200, 20, "users")
            begin = time.monotonic()
            self.ok("rollout", "start", "web", "v2", "--steps", "5,100", "--hold", "1m")
            waited = self.daemon.ctl("rollout", "status", "web", "--wait", "--timeout", "60s", timeout=70)
            took = time.monotonic() - begin
        self.assertEqual(waited.code, 6, waited)
        failed = users.failed_users("v2")
        print(f"aborted after {took:.1f} s and {len(failed)} failed users (seed {users.seed})")
        self.assertEqual(self.weight(), 0)
        self.assertEqual(users.not_of("v2"), [])
        self.assertLessEqual(len(failed), 12)
        self.assertLess(took, 30 * SLOWER)
        end = self.rollout()
        self.assertEqual((end["state"], end["actor"]), ("aborted", "grayd"))
        self.assertEqual(end["verdict"]["metric"], "errors")
        self.assertGreater(end["verdict"]["canary"]["error_ratio"], 0.05)
        self.assertIn("rollout", {event["kind"] for event in self.daemon.ctl("events", "-o", "json").json()["events"]})
        self.ok("rollout", "abort", "web")

    def test_without_a_rollout_status_and_health_name_a_worse_version(self):
        self.daemon = self.start(beside("--error-rate", "0.2"))
        self.assertEqual(self.daemon.version("v2")["verdict"], "none")
        with Users(self.daemon.port):
            self.ok("shift", "web", "v2", "20")
            self.assertIn(self.daemon.version("v2")["verdict"], ("insufficient", "worse"))
            eventually(lambda: self.daemon.version("v2")["verdict"] == "worse", 60, "a verdict")
            found = self.daemon.version("v2")
            self.assertGreater(found["last_minute"]["error_ratio"], 0.05)
            self.assertEqual(self.daemon.version("v1")["verdict"], "none")
            complaint = self.refused(1, "health", "web")
            why = found["verdict_text"].split(" requests failed")[0]  # the numbers behind it grow meanwhile
            self.assertRegex(why, r"^\d+\.\d+% of its$")
            worse = r"web@v2 \(20% of the users\) is worse than stable: \d+\.\d+% of its requests failed"
            self.assertRegex(complaint, worse)
            self.assertIn("to go back: grayctl shift web v2 0", complaint)
            self.assertRegex(self.ok("status").out, r"web +v2 +20% .* worse\n")
            self.ok("shift", "web", "v2", "0")
        self.assertEqual(self.daemon.version("v2")["verdict"], "none")
        self.ok("health", "web")

    def test_a_version_that_hangs_loses_its_users_and_none_waits_for_it(self):
        self.daemon = self.start(beside())
        with Users(self.daemon.port) as users:
            self.ok("shift", "web", "v2", "20")
            eventually(lambda: users.served["v2"] > 20, 20, "users of v2")
            pid = self.daemon.pids("v2")[0]
            begin = time.monotonic()
            os.kill(pid, signal.SIGSTOP)
            self.wait_weight(0)
            took = time.monotonic() - begin
        answered = time.monotonic() - begin
        os.kill(pid, signal.SIGCONT)
        print(f"a stopped process: weight 0 after {took:.1f} s, every request answered after {answered:.1f} s")
        self.assertLess(took, 8 * SLOWER)
        self.assertLess(answered - took, 5 * SLOWER)
        self.assertEqual(users.failed, [])
        events = [e for e in self.daemon.ctl("events", "-o", "json").json()["events"] if e["kind"] == "judged"]
        self.assertEqual(events[-1]["cause"], "alarm")

    def test_a_kill_of_the_only_canary_worker_fails_no_user(self):
        self.daemon = self.start(beside())
        with Users(self.daemon.port) as users:
            for _ in range(3):
                self.ok("shift", "web", "v2", "50")
                served, pid = users.served["v2"], self.daemon.pids("v2")[0]
                eventually(lambda: users.served["v2"] > served + 50, 30, "users of v2")
                os.kill(pid, signal.SIGKILL)
                eventually(lambda: self.daemon.pids("v2") not in ([], [pid]), 30, "a new worker")
                self.daemon.wait_up(1, "v2")
        self.assertEqual(users.failed, [])

    def test_a_crash_loop_ends_the_rollout_and_no_user_sees_it(self):
        self.daemon = self.start(beside("--crash-at", "5"))
        with Users(self.daemon.port) as users:
            self.ok("rollout", "start", "web", "v2", "--steps", "20,100", "--hold", "1m")
            waited = self.daemon.ctl("rollout", "status", "web", "--wait", "--timeout", "60s", timeout=70)
        self.assertEqual(waited.code, 6, waited)
        self.assertIn("ended", self.rollout()["reason"])
        self.assertEqual(users.failed, [])


class Commands(RolloutTest):
    def test_an_abort_is_in_force_at_once(self):
        self.daemon = self.start(beside())
        times = []
        for _ in range(5):
            self.ok("rollout", "start", "web", "v2", "--steps", "50,100", "--hold", "1h")
            self.wait_weight(50)
            begin = time.monotonic()
            self.ok("rollout", "abort", "web")
            times.append(1000 * (time.monotonic() - begin))
            self.assertEqual({self.daemon.get(headers={"Cookie": f"uid={i}"})["x-gray-version"] for i in range(20)},
                             {"v1"})
        print("an abort, grayctl included: " + ", ".join(f"{ms:.0f}" for ms in times) + " ms")
        self.assertLess(statistics.median(times), 100 * SLOWER)
        self.assertEqual(self.daemon.ctl("rollout", "status", "web").code, 6)

    def test_pause_resume_promote_retry(self):
        self.daemon = self.start(beside())
        self.assertIn("has had no rollout", self.refused(3, "rollout", "status", "web"))
        self.refused(3, "rollout", "pause", "web")
        self.ok("rollout", "abort", "web")
        self.ok("rollout", "start", "web", "v2", "--steps", "10,50,100", "--hold", "1h", "--salt", "spring")
        self.wait_weight(10)
        self.ok("rollout", "pause", "web")
        self.assertEqual(self.rollout()["state"], "paused")
        self.assertIn("cannot be paused", self.refused(3, "rollout", "pause", "web"))
        self.ok("rollout", "resume", "web")
        self.ok("rollout", "promote", "web")
        self.wait_weight(50)
        self.ok("rollout", "abort", "web", "--freeze")
        self.assertTrue(self.rollout()["frozen"])
        self.ok("rollout", "retry", "web")
        self.wait_weight(10)
        self.ok("rollout", "promote", "web", "--full")
        eventually(lambda: self.rollout()["state"] == "promoted", 10, "the promotion")
        self.assertEqual(self.daemon.get()["x-gray-version"], "v2")
        self.ok("rollout", "abort", "web")
        self.assertEqual(self.daemon.get()["x-gray-version"], "v1")

    def test_without_traffic_it_is_held(self):
        self.daemon = self.start(beside())
        self.ok("rollout", "start", "web", "v2", "--steps", "10,100", "--hold", "100ms")
        self.wait_weight(10)
        reason = "the canary has had 0 of 50 requests"
        eventually(lambda: self.rollout()["reason"] == reason, 10, "the reason of the hold")
        self.assertEqual(self.rollout()["verdict"]["result"], "insufficient")
        waited = self.daemon.ctl("rollout", "status", "web", "--wait", "--timeout", "1s")
        self.assertEqual(waited.code, 5, waited)
        self.assertEqual(self.weight(), 10)

    def test_mistakes_start_nothing(self):
        self.daemon = self.start(beside())
        for args in (("--steps", "5,1"), ("--steps", "0"), ("--steps", "x"), ("--hold", "soon"), ("--salt", "a b")):
            self.refused(2, "rollout", "start", "web", "v2", *args)
        self.assertIn("did you mean", self.refused(2, "rollout", "start", "wbe", "v2"))
        self.refused(2, "rollout", "start", "web", "v9")
        self.refused(2, "rollout")
        self.refused(3, "rollout", "status", "web")


class Deploys(RolloutTest):
    """grayctl deploy --rollout, as a pipeline calls it."""

    def begin(self):
        version = {"command": faulty(), "ready": ["pipe"]}
        web = {"stable": "v1", "expose": "version", "identity": ["cookie:uid"], "version": {"v1": version},
               "release": {**version, "command": ["sh", "run.sh"], "cwd": "releases/{version}", "min_healthy": "0s"},
               "rollout": {"steps": [10, 100], "hold": "500ms"}}
        self.daemon = self._prepared(web, {})
        self._own.append(self.daemon)
        for name, flags in (("41", ""), ("42", " --error-rate 0.3"), ("43", ""), ("44", " --crash-on-start")):
            folder = os.path.join(self.daemon.folder, "releases", name)
            os.makedirs(folder)
            with open(os.path.join(folder, "run.sh"), "w") as file:
                file.write("exec " + faulty()[0] + flags + "\n")
        self._started(self.daemon, ("v1",))

    def deploy(self, version):
        return self.daemon.ctl("deploy", "web", version, "--rollout", timeout=90)

    def stable(self):
        return self.daemon.status()["services"][0]["stable"]

    def test_good_releases_are_promoted_and_bad_ones_leave_the_users_alone(self):
        self.begin()
        with Users(self.daemon.port) as users:
            for version, code, stable in (("41", 0, "41"), ("42", 6, "41"), ("43", 0, "43"), ("44", 1, "43")):
                result = self.deploy(version)
                self.assertEqual(result.code, code, result)
                self.assertEqual(self.stable(), stable)
        self.assertEqual(users.not_of("42"), [])
        self.assertIn("died-before-ready", self.rollout()["reason"])
        self.ok("rollout", "undo", "web")
        self.assertEqual(self.stable(), "41")

    def test_a_deploy_beside_a_rollout_is_refused_and_starts_nothing(self):
        self.begin()
        self.ok("deploy", "web", "41", "--rollout", "--no-wait")
        self.assertIn("a rollout of web 41 is", self.refused(3, "deploy", "web", "43", "--rollout"))
        self.assertIsNone(self.daemon.version("43"))
        self.ok("rollout", "abort", "web")
        self.refused(2, "deploy", "web", "../43", "--rollout")


class Restarts(RolloutTest):
    def test_a_rollout_survives_a_kill_a_reload_and_upgrades(self):
        self.daemon = self.start(beside())
        self.ok("rollout", "start", "web", "v2", "--steps", "10,50,100", "--hold", "2s", "--salt", "spring")
        self.wait_weight(10)
        self.daemon.kill()
        self.daemon.launch()
        self.daemon.wait_up(1, "v1", "v2")
        self.assertIn(self.rollout()["state"], ("stepping", "holding"))
        self.assertEqual(self.weight(), 10)
        self.ok("reload")
        self.ok("upgrade", "router", timeout=60)
        self.ok("upgrade", timeout=60)
        with Users(self.daemon.port) as users:
            waited = self.daemon.ctl("rollout", "status", "web", "--wait", "--timeout", "60s", timeout=70)
        self.assertEqual(waited.code, 0, waited)
        self.assertEqual(users.failed, [])
        self.assertEqual(self.rollout()["state"], "promoted")
