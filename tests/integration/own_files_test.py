"""Files of grayd's own that a different program removes are made again, and the paths that grayd resolves when."""
import json
import os
import shutil
import signal
import subprocess
import tempfile

from harness import BUILD, GrayTest, eventually, fake, merged, run_program, two_versions
from http_client import Client


def events(daemon, kind):
    lines = daemon.ctl("events", "-n", "1000", "-o", "json").out.splitlines()
    found = [json.loads(line) for line in lines]
    entries = [entry for line in found for entry in line.get("events", [line])]
    return [entry for entry in entries if entry.get("kind") == kind]


class Removed(GrayTest):
    def test_the_admin_socket_is_made_again(self):
        daemon = self.start(up=("v1",))
        for _ in range(2):
            os.unlink(daemon.admin)
            eventually(lambda: daemon.ctl("status").code == 0, 10, "a new admin socket")
        causes = [entry["cause"] for entry in events(daemon, "file-restored")]
        self.assertEqual(causes, ["the admin socket"] * 2)
        self.assertEqual(daemon.ctl("shift", "web", "v2", "10").code, 0)

    def test_the_admin_socket_is_made_again_while_somebody_follows_events(self):
        daemon = self.start(up=("v1",))
        with open(os.path.join(daemon.folder, "followed"), "wb") as out:
            follower = subprocess.Popen([os.path.join(BUILD, "grayctl"), "--socket", daemon.admin, "events", "-f"],
                                        stdout=out, stderr=out)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)
        os.unlink(daemon.admin)
        eventually(lambda: daemon.ctl("status").code == 0, 10, "a new admin socket")

    def test_a_unix_listener_is_made_again_without_losing_a_request(self):
        daemon = self._prepared(None, {})
        path = os.path.join(daemon.folder, "web.sock")
        daemon.write_config(merged(daemon.config, {"listen": {"http": [f"127.0.0.1:{daemon.port}", "unix:web.sock"]}}))
        self._own.append(daemon)
        self._started(daemon, ("v1", "v2"))
        with daemon.client() as kept:
            self.assertEqual(kept.ask("/").status, 200)
            os.unlink(path)

            def answers():
                try:
                    with Client(path, timeout=5) as client:
                        return client.ask("/").status == 200
                except OSError:
                    return False
            eventually(answers, 15, "answers over the new socket")
            self.assertEqual(kept.ask("/").status, 200)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o666)
        self.assertEqual([entry["cause"] for entry in events(daemon, "file-restored")], ["a listener"])

    def test_the_access_log_is_made_again(self):
        daemon = self.start(up=("v1",))
        path = os.path.join(daemon.folder, "access.log")
        os.unlink(path)
        eventually(lambda: os.path.exists(path), 10, "a new access log")
        eventually(lambda: daemon.get("/again") and any(entry["path"] == "/again" for entry in daemon.access_log()), 10,
                   "a line in the new access log")

    def test_a_file_that_cannot_be_made_again_is_reported_once(self):
        daemon = self._prepared(None, {})
        folder = os.path.join(daemon.folder, "logs")
        daemon.write_config(merged(daemon.config, {"access_log": "logs/access.log"}))
        self._own.append(daemon)
        self._started(daemon, ("v1",))
        shutil.rmtree(folder)
        with open(folder, "w"):
            pass
        eventually(lambda: events(daemon, "file-missing"), 10, "the report")
        os.unlink(folder)
        eventually(lambda: events(daemon, "file-restored"), 10, "the new file")
        self.assertEqual(len(events(daemon, "file-missing")), 1)


class Links(GrayTest):
    def test_an_upgrade_follows_the_link_that_grayd_was_started_through(self):
        daemon = self._prepared(None, {})
        self._own.append(daemon)
        for release in ("r1", "r2"):
            os.makedirs(os.path.join(daemon.folder, release))
            shutil.copy(os.path.join(BUILD, "grayd"), os.path.join(daemon.folder, release, "grayd"))
        current = os.path.join(daemon.folder, "current")
        os.symlink("r1", current)
        daemon.launch(prefix=["/usr/bin/env", "-S", "sh", "-c", f"exec {current}/grayd --config {daemon.config_file}"])
        daemon.wait_up(1, "v1", "v2")
        self.assertEqual(daemon.status()["program"], os.path.join(daemon.folder, "r1", "grayd"))
        os.symlink("r2", current + ".new")
        os.rename(current + ".new", current)
        self.assertEqual(daemon.ctl("upgrade").code, 0)
        self.assertEqual(os.stat(f"/proc/{daemon.process.pid}/exe").st_ino,
                         os.stat(os.path.join(daemon.folder, "r2", "grayd")).st_ino)

    def test_a_worker_is_started_in_the_folder_that_the_link_leads_to_then(self):
        daemon = self._prepared(two_versions(version={"v1": {"cwd": "current"}}), {})
        self._own.append(daemon)
        for release in ("r1", "r2"):
            os.makedirs(os.path.join(daemon.folder, release))
        current = os.path.join(daemon.folder, "current")
        os.symlink("r1", current)
        self._started(daemon, ("v1", "v2"))
        self.assertEqual(daemon.version("v1")["workers"][0]["cwd"], os.path.join(daemon.folder, "r1"))
        os.unlink(current)
        os.symlink("r2", current)
        self.assertEqual(daemon.ctl("restart", "web", "v1").code, 0)
        self.assertEqual(daemon.version("v1")["workers"][0]["cwd"], os.path.join(daemon.folder, "r2"))


class Folders(GrayTest):
    def test_sockets_of_workers_go_to_the_runtime_directory(self):
        daemon = self._prepared(two_versions(version={"v1": {"listen": "unix"}}), {})
        self._own.append(daemon)
        runtime = tempfile.mkdtemp(prefix="grayd-test-rt-")
        self.addCleanup(shutil.rmtree, runtime)
        os.chmod(runtime, 0o755)  # the router has a different user
        daemon.launch(env={"RUNTIME_DIRECTORY": runtime})
        daemon.wait_up(1, "v1", "v2")
        self.assertTrue(daemon.version("v1")["workers"][0]["address"].startswith(f"unix:{runtime}/"))
        self.assertEqual(daemon.get().status, 200)


class Readiness(GrayTest):
    def test_a_service_that_cannot_answer_is_named_at_the_start(self):
        daemon = self._prepared(two_versions(version={"v1": {"command": ["/bin/false"]}}), {})
        self._own.append(daemon)
        daemon.launch()
        eventually(lambda: "serving http://" in daemon.log(), 20, "the start")
        self.assertRegex(daemon.log(), r"serving http://127\.0\.0\.1:\d+; web@v1 \(stable\) is ")


class Signals(GrayTest):
    def test_a_signal_to_the_router_names_the_right_process(self):
        daemon = self.start(up=("v1",))
        router = daemon.router()
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM):
            os.kill(router, number)
        pid = daemon.process.pid
        for part in (f"SIGHUP from pid {os.getpid()} has no effect", f"or kill -HUP {pid}", f"kill -USR1 {pid}",
                     f"kill -TERM {pid}"):
            eventually(lambda wanted=part: wanted in daemon.log(), 5, part)
        self.assertEqual(daemon.router(), router)
        self.assertEqual(daemon.get().status, 200)


class Failed(GrayTest):
    """A version that cannot serve: what changes its share, and what waits, says so."""

    def test_shift_status_and_health(self):
        daemon = self.start(two_versions(version={"v2": {"command": fake("--exit-at-start", "1")}}), up=("v1",))
        eventually(lambda: daemon.version("v2")["state"] == "failed", 30, "the failure of v2")
        refused = daemon.ctl("shift", "web", "v2", "50")
        self.assertEqual(refused.code, 3, refused)
        self.assertRegex(refused.err, r"web@v2 \(its users would get stable\) is failed: .*; to shift it anyway: "
                                      r"grayctl shift web v2 50 --yes")
        self.assertEqual(daemon.version("v2")["weight"], 0)
        self.assertEqual(daemon.ctl("health").code, 0)
        self.assertEqual(daemon.ctl("shift", "web", "v2", "50", "--yes").code, 0)
        unhealthy = daemon.ctl("health")
        self.assertEqual(unhealthy.code, 1)
        self.assertIn("web@v2 (50% of the users) is failed", unhealthy.err)
        self.assertEqual(daemon.ctl("status", "--wait", "--timeout", "20s").code, 1)
        self.assertEqual(daemon.ctl("shift", "web", "v2", "0").code, 0)

    def test_a_fraction_is_questioned(self):
        daemon = self.start()
        refused = daemon.ctl("shift", "web", "v2", "0.2")
        self.assertEqual(refused.code, 3)
        self.assertIn("0.2 % is 1 user in 500; did you mean 20? to shift it anyway: grayctl shift web v2 0.2 --yes",
                      refused.err)
        self.assertEqual(daemon.ctl("shift", "web", "v2", "0.2", "--yes").code, 0)
        self.assertEqual(daemon.version("v2")["weight"], 0.2)

    def test_mistakes_on_the_command_line_say_what_exists(self):
        daemon = self.start(up=("v1",))
        self.assertIn('there is no service "nosuch" (known: web)', daemon.ctl("status", "nosuch").err)
        self.assertIn("grayctl status has --watch, --wait, --timeout", daemon.ctl("status", "-f").err)
        self.assertIn('unknown option "--since"; grayctl events has ', daemon.ctl("events", "--since", "1h").err)
        given = run_program("grayd", "grayd.toml")
        self.assertEqual(given.code, 2)
        self.assertIn("a configuration is given as: grayd --config grayd.toml", given.err)
        self.assertNotIn("pidof", run_program("grayd", "--help").out)
