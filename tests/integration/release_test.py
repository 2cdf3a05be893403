"""The weekly release: deploy, promote, undo and remove, from outside, under load and across restarts."""
import os
import subprocess
import threading
import time

from harness import BUILD, SLOWER, GrayTest, eventually, faulty, is_alive, merged
from steady_load import SteadyLoad


def released(**release):
    """Service web with v1 in the file, and a release whose versions run in folders of their own."""
    version = {"command": faulty(), "ready": ["pipe"]}
    return {"stable": "v1", "param": "version", "expose": "version", "version": {"v1": version},
            "release": merged({**version, "cwd": "releases/{version}", "env": {"RELEASE": "{version}"},
                               "min_healthy": "0s"}, release)}


class ReleaseTest(GrayTest):
    def begin(self, web=None, folders=("42", "43", "44", "45")):
        self.daemon = self._prepared(web or released(), {})
        self._own.append(self.daemon)
        for name in folders:
            os.makedirs(os.path.join(self.daemon.folder, "releases", name))
        self._started(self.daemon, ("v1",))

    def refused(self, code, *args):
        result = self.daemon.ctl(*args)
        self.assertEqual(result.code, code, result)
        self.assertEqual(result.out, "")
        return result.err

    def service(self):
        return self.daemon.status()["services"][0]

    def serving(self):
        """The version that users get."""
        return self.daemon.get()["x-gray-version"]

    def release(self, version):
        self.ok("deploy", "web", version)
        self.ok("promote", "web", version)
        self.assertEqual(self.serving(), version)

    def gone(self, version):
        eventually(lambda: self.daemon.version(version) is None, 15, f"the end of {version}")

    def stopped(self, version):
        def is_stopped():
            found = self.daemon.version(version)
            return found and found["state"] == "stopped" and not found["workers"]
        eventually(is_stopped, 15, f"the stop of {version}")


class Week(ReleaseTest):
    def test_two_releases_and_the_way_back_lose_no_request(self):
        self.begin()
        with SteadyLoad(self.daemon.port, kept=6, short=6, streams=0, uploads=0) as load:
            out = self.ok("deploy", "web", "42").out
            self.assertIn("web 42 deployed: 1 of 1 workers healthy", out)
            self.assertIn("grayctl promote web 42", out)
            self.assertEqual(self.serving(), "v1")
            found = self.daemon.version("42")
            self.assertEqual((found["state"], found["weight"], found["deployed"]), ("dark", 0, True))
            self.assertEqual(self.daemon.get("/?version=42")["x-gray-version"], "42")
            self.assertIn("all users get 42; back to v1", self.ok("promote", "web", "42").out)
            self.assertEqual(self.serving(), "42")
            self.ok("deploy", "web", "43")
            self.ok("shift", "web", "43", "20")
            self.ok("promote", "web", "43")
            self.assertEqual(self.serving(), "43")
            self.assertEqual(self.service()["undo_to"], "42")
            self.ok("undo", "web")
            self.assertEqual(self.serving(), "42")
            self.ok("undo", "web")
            self.assertEqual(self.serving(), "43")
            self.ok("undo", "web", "--to", "v1")
            self.assertEqual(self.serving(), "v1")
            self.ok("remove", "web", "42")
            self.assertIsNone(self.daemon.version("42"))
        print(load.figures)
        self.assertEqual((load.figures.failed, load.figures.truncated), (0, 0), load.figures)
        kinds = [event["kind"] for event in self.ok("events", "-o", "json").json()["events"]]
        for kind, times in (("deployed", 2), ("promoted", 2), ("undone", 3), ("removed", 1)):
            self.assertEqual(kinds.count(kind), times, kinds)

    def test_an_undo_aborts_a_rollout(self):
        self.begin()
        self.release("42")
        self.ok("deploy", "web", "43")
        self.ok("rollout", "start", "web", "43", "--steps", "20,100", "--hold", "60s")
        eventually(lambda: self.daemon.version("43")["weight"] == 20, 10, "the first step")
        self.assertIn("grayctl rollout promote --full web", self.refused(3, "promote", "web", "43"))
        self.assertIn("grayctl rollout abort web", self.refused(3, "promote", "web", "v1"))
        self.ok("undo", "web")
        self.assertEqual(self.serving(), "v1")
        self.assertEqual(self.daemon.version("43")["weight"], 0)
        self.assertEqual(self.daemon.ctl("rollout", "status", "web").code, 6)
        self.ok("remove", "web", "43")

    def test_an_undo_to_a_version_that_runs_is_fast(self):
        self.begin()
        self.release("42")
        times = []
        for _ in range(5):
            begun = time.monotonic()
            self.ok("undo", "web")
            times.append((time.monotonic() - begun) * 1000)
        print("undo, ms until every router applied it:", ", ".join(f"{one:.0f}" for one in times))
        self.assertLess(min(times), 100 * SLOWER)  # the others may have waited for a busy processor

    def test_a_release_folder_that_is_a_link_is_resolved(self):
        self.begin(folders=("42",))
        releases = os.path.realpath(os.path.join(self.daemon.folder, "releases"))
        os.symlink("42", os.path.join(releases, "latest"))
        self.ok("deploy", "web", "latest")
        self.assertEqual(self.daemon.version("latest")["workers"][0]["cwd"], os.path.join(releases, "42"))

    def test_variables_and_the_name_of_the_version_reach_the_worker(self):
        self.begin()
        self.ok("deploy", "web", "43", "--env", "FLAG=a=b", "--env", "EMPTY=")
        with open(f"/proc/{self.daemon.pids('43')[0]}/environ", "rb") as file:
            env = file.read().split(b"\0")
        for line in (b"FLAG=a=b", b"EMPTY=", b"RELEASE=43", b"GRAY_VERSION=43"):
            self.assertIn(line, env)


class Refused(ReleaseTest):
    def test_what_cannot_be_started_is_refused_before_anything_is_started(self):
        self.begin()
        missing = os.path.join(os.path.realpath(self.daemon.folder), "releases", "99")
        self.assertIn(f"web@99: cwd {missing} is not a folder", self.refused(8, "deploy", "web", "99"))
        for name in ("../43", "a/b", "a.b", "x" * 65):
            self.assertIn("is not a valid name of a version", self.refused(2, "deploy", "web", name))
        self.assertIn("env cannot set PORT", self.refused(2, "deploy", "web", "43", "--env", "PORT=1"))
        self.assertIn("--env takes NAME=VALUE", self.refused(2, "deploy", "web", "43", "--env", "PORT"))
        self.assertIn("there is no service", self.refused(2, "deploy", "api", "43"))
        self.assertEqual([version["name"] for version in self.service()["versions"]], ["v1"])

    def test_a_program_that_does_not_exist(self):
        self.begin(released(command=["./server"]))
        program = os.path.join(os.path.realpath(self.daemon.folder), "releases", "43", "server")
        self.assertIn(f"command {program} does not exist", self.refused(8, "deploy", "web", "43"))

    def test_without_a_release_the_lines_to_add_are_shown(self):
        web = released()
        del web["release"]
        self.begin(web)
        error = self.refused(2, "deploy", "web", "43")
        self.assertIn('[service.web.release]\ncommand = ["PROGRAM", "ARGUMENT"]\n', error)

    def test_a_version_that_fails_shows_its_own_error_and_must_be_removed_first(self):
        self.begin(released(command=["sh", "-c", "echo no database at 10.0.0.7 >&2; exit 3"]))
        error = self.refused(1, "deploy", "web", "43")
        self.assertIn("web 43 could not be started", error)
        self.assertIn("exit 3", error)
        self.assertIn("no database at 10.0.0.7", error)
        self.assertIn("exists already and is failed; correct it, then: grayctl remove web 43",
                      self.refused(3, "deploy", "web", "43"))
        self.assertIn("is failed and cannot serve users", self.refused(3, "promote", "web", "43"))
        self.ok("remove", "web", "43")
        self.refused(1, "deploy", "web", "43")
        self.assertEqual(self.serving(), "v1")

    def test_a_version_that_is_not_up_in_time(self):
        self.begin(released(command=faulty("--never-ready")))
        self.assertIn("after 200ms", self.refused(5, "deploy", "web", "43", "--timeout", "200ms"))
        self.assertEqual(self.daemon.version("43")["state"], "starting")

    def test_conflicts_say_what_to_do(self):
        self.begin()
        self.ok("deploy", "web", "43")
        self.ok("deploy", "web", "44", "--no-wait")
        self.assertIn("exists already and is dark; to replace it: grayctl remove web 43",
                      self.refused(3, "deploy", "web", "43"))
        self.assertIn("it is in the configuration file", self.refused(3, "deploy", "web", "v1"))
        self.assertIn("is in the configuration file: remove it there", self.refused(2, "remove", "web", "v1"))
        self.assertIn("no stable version before v1", self.refused(3, "undo", "web"))
        self.assertIn("is the stable version already", self.refused(3, "promote", "web", "v1"))
        self.refused(2, "promote", "web", "v9")
        self.ok("shift", "web", "43", "5")
        self.assertIn("has 5% of the users; send them to v1 first", self.refused(3, "remove", "web", "43"))
        self.daemon.wait_up(1, "44")
        self.assertIn("43 has 5% of the users of web", self.refused(3, "promote", "web", "44"))
        self.ok("promote", "web", "43")
        self.assertIn("is the stable version of web", self.refused(3, "remove", "web", "43"))
        self.ok("stop", "web", "44")
        self.assertIn("44 is stopped; start it first", self.refused(3, "promote", "web", "44"))

    def test_of_two_deploys_at_once_one_is_refused(self):
        self.begin()
        deploy = [os.path.join(BUILD, "grayctl"), "--socket", self.daemon.admin, "deploy", "web", "43"]
        both = [subprocess.Popen(deploy, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        ends = [(one.communicate(timeout=30 * SLOWER), one.returncode) for one in both]
        self.assertEqual(sorted(code for _, code in ends), [0, 3], ends)
        self.assertEqual(len(self.daemon.pids("43")), 1)

    def test_a_file_with_the_name_of_a_deployed_version(self):
        self.begin()
        self.ok("deploy", "web", "43")
        web = merged(released(), {"version": {"43": {"command": faulty(), "ready": ["pipe"]}}})
        self.daemon.write_config({"service": {"web": web}})
        self.assertIn("versions that are deployed already: web 43", self.refused(3, "reload"))
        self.daemon.stop()
        self.daemon.launch().wait_up(1, "v1", "43").wait_answers()
        self.assertIn("those of the file are used: web 43", self.daemon.log())
        self.assertFalse(self.daemon.version("43")["deployed"])


class Kept(ReleaseTest):
    """What was deployed and promoted outlasts grayd."""

    def restart(self, how):
        how()
        self.daemon.launch().wait_up(1, "43").wait_answers()

    def test_restarts_crashes_and_replacements(self):
        self.begin()
        self.release("42")
        self.release("43")
        self.ok("deploy", "web", "44")
        self.ok("stop", "web", "44")
        for how in (self.daemon.stop, self.daemon.kill):
            self.restart(how)
            self.assertEqual(self.serving(), "43")
            self.assertEqual(self.service()["undo_to"], "42")
            self.assertEqual(self.daemon.version("44")["state"], "stopped")
            self.daemon.wait_up(1, "42")  # its time as a warm version is not over
        with SteadyLoad(self.daemon.port, kept=4, short=4, streams=0, uploads=0) as load:
            self.ok("upgrade", "router", timeout=60)
            self.ok("start", "web", "44")
            self.ok("upgrade", timeout=60)
            self.assertEqual(self.serving(), "43")
            self.ok("promote", "web", "44")
            self.ok("undo", "web")
            self.assertFalse(self.daemon.status()["config_changed"])
        self.assertEqual((load.figures.failed, load.figures.truncated), (0, 0), load.figures)
        self.assertEqual({version["name"] for version in self.service()["versions"]}, {"v1", "42", "43", "44"})

    def test_a_reload_keeps_what_is_deployed_and_concerns_only_later_deploys(self):
        self.begin()
        self.release("42")
        pid = self.daemon.pids("42")[0]
        web = merged(released(env={"NEW": "1"}), {"version": {"v1": {"instances": 2}}})
        self.daemon.write_config({"service": {"web": web}})
        out = self.ok("reload").out
        self.assertIn("service web: new settings of releases; they take effect at its next deploy or rollout", out)
        self.assertIn("version web v1: number of instances changed", out)
        self.assertEqual(self.daemon.pids("42"), [pid])
        self.assertEqual(self.serving(), "42")
        self.assertFalse(self.daemon.status()["config_changed"])
        self.ok("deploy", "web", "43")
        with open(f"/proc/{self.daemon.pids('43')[0]}/environ", "rb") as file:
            self.assertIn(b"NEW=1", file.read().split(b"\0"))

    def test_an_upgrade_waits_for_an_undo_that_starts_its_version(self):
        self.begin(released(warm="0", command=faulty("--ready-after", "1000")))
        self.release("42")
        self.release("43")
        self.stopped("42")
        self.assertIn("is in progress", self.ok("undo", "web", "--no-wait").out)
        self.assertIn("an undo to 42 (requested by pid ", self.refused(3, "promote", "web", "v1"))
        self.ok("upgrade", timeout=60)
        self.assertEqual(self.serving(), "42")
        self.assertEqual(self.service()["undo_to"], "43")

    def test_the_version_of_the_file_may_leave_it(self):
        self.begin()
        self.release("42")
        web = released()
        self.daemon.write_config({"service": {"web": {**web, "stable": "42", "version": {}}}})
        self.ok("reload")
        eventually(lambda: self.daemon.version("v1") is None, 15, "the end of v1")
        self.restart_from_state()
        self.assertEqual(self.serving(), "42")
        self.assertIsNone(self.service()["undo_to"])

    def restart_from_state(self):
        self.daemon.kill()
        self.daemon.launch().wait_up(1, "42").wait_answers()

    def test_a_stable_version_that_does_not_exist_is_an_error_with_its_remedy(self):
        self.begin()
        self.daemon.stop()
        self.daemon.write_config({"service": {"web": {**released(), "stable": "77", "version": {}}}})
        done = subprocess.run([os.path.join(BUILD, "grayd"), "--config", self.daemon.config_file], timeout=20,
                              stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 8)
        self.assertIn('service web has no stable version: "77" is neither in the file nor deployed', done.stderr)


class Former(ReleaseTest):
    def test_a_former_stable_stops_when_its_time_is_over_and_undo_starts_it(self):
        self.begin(released(warm="500ms"))
        self.release("42")
        self.assertRegex(self.ok("status").out, r"(?m)^  was stable, runs until \d\d:\d\d:\d\d UTC; grayctl undo")
        former = self.daemon.version("v1")["former"]
        self.assertLess(former["since"], former["warm_until"])
        self.stopped("v1")
        self.assertIsNone(self.daemon.version("v1")["former"]["warm_until"])
        self.release("43")
        self.stopped("42")
        with SteadyLoad(self.daemon.port, kept=4, short=4, streams=0, uploads=0) as load:
            self.assertIn("all users get 42 again", self.ok("undo", "web").out)
            self.assertEqual(self.serving(), "42")
        self.assertEqual((load.figures.failed, load.figures.truncated), (0, 0), load.figures)
        self.stopped("43")
        self.assertEqual(self.daemon.version("42")["state"], "serving")

    def test_time_that_passes_while_grayd_is_down_counts(self):
        self.begin(released(warm="1s"))
        self.release("42")
        over = time.time() + 1.1
        self.daemon.kill()
        eventually(lambda: time.time() > over, 5, "the end of its time as a warm version")
        self.daemon.launch().wait_up(1, "42").wait_answers()
        found = self.daemon.version("v1")
        self.assertEqual((found["state"], found["workers"]), ("stopped", []))
        self.ok("undo", "web")
        self.assertEqual(self.serving(), "v1")

    def test_an_undo_to_a_version_that_does_not_start_changes_nothing(self):
        self.begin(released(warm="0", command=["sh", "-c", f"test -e ok && exec {' '.join(faulty())}; exit 4"]))
        ok = os.path.join(self.daemon.folder, "releases", "42", "ok")
        with open(ok, "w"), open(ok.replace("42", "43"), "w"):
            pass
        self.release("42")
        self.release("43")
        self.stopped("42")
        os.unlink(ok)
        error = self.refused(1, "undo", "web")
        self.assertIn("web 42 could not be started; nothing was changed", error)
        self.assertIn("exit 4", error)
        self.assertEqual(self.serving(), "43")
        self.assertEqual(self.service()["undo_to"], "42")

    def test_an_undo_that_takes_too_long_changes_nothing(self):
        self.begin(released(warm="0", command=["sh", "-c", f"test -e ok && exec {' '.join(faulty())}; exec sleep 60"]))
        ok = os.path.join(self.daemon.folder, "releases", "42", "ok")
        with open(ok, "w"), open(ok.replace("42", "43"), "w"):
            pass
        self.release("42")
        self.release("43")
        self.stopped("42")
        os.unlink(ok)
        self.assertIn("was not up in time; nothing was changed", self.refused(5, "undo", "web", "--timeout", "300ms"))
        self.assertEqual(self.serving(), "43")
        self.stopped("42")

    def test_deployed_versions_beyond_keep_are_removed(self):
        self.begin(released(keep=1))
        for version in ("42", "43", "44"):
            self.release(version)
        self.gone("42")
        self.stopped("v1")
        self.assertEqual([version["name"] for version in self.service()["versions"]], ["v1", "43", "44"])
        self.assertEqual(self.service()["undo_to"], "43")
        self.assertIn("web has no version that undo could go back to", self.ok("remove", "web", "43").out)
        self.refused(3, "undo", "web")

    def test_a_removal_that_a_crash_interrupts_is_complete_at_the_next_start(self):
        self.begin(released(command=faulty("--delay", "3000")))
        self.ok("deploy", "web", "43")
        request = threading.Thread(target=lambda: self.daemon.client().ask("/?version=43"), daemon=True)
        request.start()
        eventually(lambda: self.daemon.version("43")["in_flight"] == 1, 10, "a request in flight")
        self.assertIn("is in progress", self.ok("remove", "web", "43", "--no-wait").out)
        found = self.daemon.version("43")
        self.assertEqual((found["state"], found["removing"]), ("draining", True))
        self.assertRegex(self.ok("status").out, r"(?m)^  is being removed$")
        self.assertIn("web 43 is being removed", self.refused(3, "deploy", "web", "43"))
        self.assertIn("web 43 is being removed", self.refused(3, "start", "web", "43"))
        self.daemon.kill()
        self.daemon.launch().wait_up(1, "v1").wait_answers()
        self.assertIsNone(self.daemon.version("43"))
        request.join()

    def test_a_removed_version_drains_and_can_be_deployed_again(self):
        self.begin()
        self.ok("deploy", "web", "43")
        pid = self.daemon.pids("43")[0]
        self.assertIn("web 43 drained and removed", self.ok("remove", "web", "43").out)
        self.assertFalse(is_alive(pid))
        self.daemon.kill()
        self.daemon.launch().wait_up(1, "v1").wait_answers()
        self.assertIsNone(self.daemon.version("43"))
        self.release("43")
