"""The everyday verbs: start, stop, restart, drain, waiting for their end, and completion."""
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import threading
import unittest

from harness import BUILD, GrayTest, eventually, faulty, merged, run_program, two_versions

CONNECTIONS = 32
LONGEST_WAIT = 120  # longest wait of a grayctl, in seconds
LAST_CHANGE = re.compile(r"; the last change of web: \S+ \S+ \(\S+Z, by pid \d+, uid \d+\)")


def quick(**changes):
    return merged({"command": faulty("--threads", "64"), "ready": ["pipe"]}, changes)


def slow_to_start(milliseconds, **changes):
    return quick(command=faulty("--ready-after", str(milliseconds)), **changes)


class Load:
    """Keep-alive connections that send requests without a pause; everything but a complete 200 is a failure."""

    def __init__(self, daemon, path="/"):
        self.daemon, self.path, self.stopping = daemon, path, threading.Event()
        self.served, self.failures = [0] * CONNECTIONS, []
        self.threads = [threading.Thread(target=self._press, args=(i,)) for i in range(CONNECTIONS)]

    def _press(self, i):
        with self.daemon.client() as client:
            while not self.stopping.is_set():
                try:
                    response = client.ask(self.path)
                except OSError as error:
                    response = error
                if getattr(response, "status", None) != 200 or not response.complete:
                    self.failures.append(response)
                    return
                self.served[i] += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        eventually(lambda: min(self.served) > 3 or self.failures, 30, "load on every connection")
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


class Sampler:
    """Polls the status of a version: records the fewest usable workers, and the progress of a restart."""

    def __init__(self, daemon, version):
        self.daemon, self.version, self.stopping = daemon, version, threading.Event()
        self.fewest, self.most, self.progress = 1000, 0, []
        self.thread = threading.Thread(target=self._look)

    def _look(self):
        while not self.stopping.is_set():
            seen = self.daemon.version(self.version)
            able = sum(worker["state"] == "healthy" for worker in seen["workers"])
            self.fewest, self.most = min(self.fewest, able), max(self.most, able)
            restart = seen["restart"] and (seen["restart"]["state"], seen["restart"]["replaced"])
            if restart not in self.progress:
                self.progress.append(restart)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()


class VerbTest(GrayTest):
    def ok(self, daemon, *args):
        result = daemon.ctl(*args, timeout=LONGEST_WAIT)
        self.assertEqual(result.code, 0, result)
        return result

    def refused(self, daemon, code, text, *args):
        """A conflict (3) may name who changed the version last, and how."""
        result = daemon.ctl(*args, timeout=LONGEST_WAIT)
        self.assertEqual((result.code, LAST_CHANGE.sub("", result.err)), (code, f"grayctl: {text}\n"))
        self.assertEqual(result.out, "")
        failure = daemon.ctl(*args, "-o", "json", timeout=LONGEST_WAIT).json()
        self.assertEqual((failure["exit_code"], LAST_CHANGE.sub("", failure["error"])), (code, text))

    def started(self, v1=None, v2=None, up=("v1", "v2"), **config):
        return self.start(two_versions(version={"v1": v1 or quick(), "v2": v2 or quick()}), up=up, **config)

    def in_background(self, daemon, *args):
        return subprocess.Popen([os.path.join(BUILD, "grayctl"), "--socket", daemon.admin, *args], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ended(self, process):
        out, err = process.communicate(timeout=LONGEST_WAIT)
        return process.returncode, out, err


class Restart(VerbTest):
    def test_a_rolling_restart_under_load_fails_no_request_and_never_lacks_a_worker(self):
        daemon = self.started(v1=quick(instances=4))
        self.ok(daemon, "status", "--wait")
        before = daemon.pids("v1")
        with Load(daemon) as load, Sampler(daemon, "v1") as sampler:
            result = self.ok(daemon, "restart", "web", "v1")
            self.ok(daemon, "restart", "web", "v1")
        self.assertEqual(result.out, "web v1 restarted: 4 of 4 workers replaced\n")
        self.assertEqual(load.failures, [])
        self.assertGreaterEqual(sampler.fewest, 4)
        self.assertLessEqual(sampler.most, 5)
        self.assertIn("running", [state for state, _ in filter(None, sampler.progress)])
        after = daemon.version("v1")
        self.assertEqual(len(after["workers"]), 4)
        self.assertFalse(set(before) & {worker["pid"] for worker in after["workers"]})
        self.assertEqual(after["restart"], {"number": 2, "state": "done", "replaced": 4, "of": 4, "reason": ""})

    def test_a_restart_stops_at_the_first_failure_and_reports_it(self):
        """The seventh start fails: four workers, two of them replaced."""
        script = "n=$(ls starts | wc -l); touch starts/$$; [ $n -lt 6 ] || { echo no database; exit 3; }; exec \"$@\""
        daemon = self.started(v1=quick(command=["sh", "-c", script, "sh", *faulty()], instances=4), up=())
        os.mkdir(os.path.join(daemon.folder, "starts"))
        daemon.stop()
        daemon.launch().wait_answers()
        self.ok(daemon, "status", "--wait")
        with Load(daemon) as load, Sampler(daemon, "v1") as sampler:
            failed = daemon.ctl("restart", "web", "v1", timeout=LONGEST_WAIT)
        self.assertEqual(failed.code, 1, failed)
        self.assertRegex(failed.err.splitlines()[-1],
                         "grayctl: the restart of web v1 stopped after 2 of 4 workers replaced, and the old workers "
                         r"stay; .*worker web@v1#\d+: died-before-ready \(exit 3\); its last lines: "
                         '"no database"')
        self.assertEqual(load.failures, [])
        self.assertGreaterEqual(sampler.fewest, 4)
        # The restart has ended; the process of the second replaced worker may not have.
        states = lambda: [worker["state"] for worker in daemon.version("v1")["workers"]]
        eventually(lambda: states() == ["healthy"] * 4, what="four healthy workers")
        version = daemon.version("v1")
        self.assertEqual((version["restart"]["state"], version["restart"]["replaced"]), ("failed", 2))
        self.assertIn("no database", version["cause"])
        self.assertEqual(len(os.listdir(os.path.join(daemon.folder, "starts"))), 7)

    def test_during_a_restart_another_restart_is_refused_and_a_stop_needs_yes(self):
        daemon = self.started(v2=slow_to_start(30_000, instances=2, ready_timeout="60s"), up=("v1",))
        self.ok(daemon, "stop", "web", "v2")
        daemon.write_config(merged(daemon.config, {"service": {"web": {"version": {"v2": quick(instances=2)}}}}))
        self.ok(daemon, "reload")
        self.ok(daemon, "start", "web", "v2")
        daemon.write_config(merged(daemon.config, {"service": {"web": {"version": {"v2": slow_to_start(60_000)}}}}))
        self.ok(daemon, "reload")
        busy = "web v2 is being restarted, 0 of 2 workers replaced; wait for its end: grayctl status web --wait"
        self.refused(daemon, 3, busy, "restart", "web", "v2")
        self.refused(daemon, 3, busy + "; or to stop it anyway: grayctl stop web v2 --yes", "stop", "web", "v2")
        waiting = daemon.ctl("status", "--wait", "--timeout", "200ms")
        self.assertEqual(waiting.code, 5)
        self.assertIn("restarting web v2: 0 of 2 workers replaced after 200ms; see: grayctl status", waiting.err)
        self.ok(daemon, "stop", "web", "v2", "--yes")
        self.assertEqual(daemon.version("v2")["restart"]["reason"], "stopped")


class Ending(VerbTest):
    def in_flight(self, daemon, path):
        answer = []
        thread = threading.Thread(target=lambda: answer.append(daemon.get(path)))
        thread.start()
        eventually(lambda: daemon.version("v2")["in_flight"] == 1, 20, "the request in flight")
        return thread, answer

    def test_a_drain_waits_for_requests_in_flight(self):
        daemon = self.started(v2=quick(command=faulty("--delay", "700")))
        thread, answer = self.in_flight(daemon, "/?version=v2")
        result = self.ok(daemon, "drain", "web", "v2")
        thread.join()
        self.assertEqual(answer[0].status, 200)
        self.assertEqual(result.out, "web v2 drained and stopped\n")
        version = daemon.version("v2")
        self.assertEqual((version["state"], version["stopped"], version["workers"]), ("stopped", True, []))
        self.assertEqual(daemon.get("/?version=v2")["x-gray-reason"], "version-down")

    def test_a_stop_cuts_requests_in_flight_also_during_a_drain(self):
        daemon = self.started(v2=quick(command=faulty("--delay", "60000"), drain_timeout="120s",
                                       stop={"timeout": "500ms"}))
        thread, answer = self.in_flight(daemon, "/?version=v2")
        draining = self.in_background(daemon, "drain", "web", "v2")
        eventually(lambda: daemon.version("v2")["state"] == "draining", 20, "the drain")
        self.refused(daemon, 3, "web v2 is being stopped already; to end it at once: grayctl stop web v2",
                     "drain", "web", "v2")
        self.assertEqual(self.ok(daemon, "stop", "web", "v2").out, "web v2 stopped\n")
        self.assertEqual(self.ended(draining)[:2], (0, "web v2 drained and stopped\n"))
        thread.join()
        self.assertNotEqual(getattr(answer[0], "status", None), 200)

    def test_a_stop_under_load_fails_no_request_that_may_be_answered_elsewhere(self):
        daemon = self.started()
        self.ok(daemon, "shift", "web", "v2", "50")
        with Load(daemon, "/") as load:
            for _ in range(3):
                self.ok(daemon, "stop", "web", "v2", "--yes")
                self.ok(daemon, "start", "web", "v2")
        self.assertEqual(load.failures, [])

    def test_a_stopped_version_stays_stopped_after_a_restart_and_a_reload(self):
        daemon = self.started()
        self.ok(daemon, "stop", "web", "v2")
        daemon.stop()
        daemon.launch().wait_up(1, "v1").wait_answers()
        daemon.write_config(merged(daemon.config, {"service": {"web": {"version": {"v2": {"instances": 2}}}}}))
        self.assertIn("version web v2: changed; takes effect at its next start", self.ok(daemon, "reload").out)
        version = daemon.version("v2")
        self.assertEqual((version["state"], version["stopped"], version["workers"]), ("stopped", True, []))
        self.ok(daemon, "status", "--wait")
        self.assertEqual(self.ok(daemon, "start", "web", "v2").out, "web v2 started: 2 of 2 workers healthy\n")
        self.assertFalse(daemon.version("v2")["stopped"])
        daemon.stop()
        daemon.launch().wait_up(2, "v2")

    def test_a_stopped_stable_version_does_not_delay_the_start(self):
        daemon = self.started()
        self.ok(daemon, "drain", "web", "v1", "--yes")
        daemon.stop()
        daemon.launch().wait_up(1, "v2").wait_answers("/?version=v2")
        self.assertEqual(daemon.get("/").status, 503)
        self.assertEqual(daemon.ctl("health").code, 1)


class Refusals(VerbTest):
    @classmethod
    def setUpClass(cls):
        broken = {"command": ["sh", "-c", "echo no database; exit 3"], "ready": ["pipe"]}
        versions = {"v1": quick(), "v2": quick(weight=5), "v3": quick(), "v4": broken}
        cls.start_shared(two_versions(version=versions), up=("v1", "v2", "v3"))
        eventually(lambda: cls.shared.version("v4")["state"] == "failed", 60, "v4 failing")

    def test_unknown_names(self):
        known = "(known: v1, v2, v3, v4)"
        for verb in ("start", "stop", "restart", "drain"):
            self.refused(self.shared, 2, 'there is no service "wbe", did you mean "web"? (known: web)',
                         verb, "wbe", "v1")
            self.refused(self.shared, 2, f'there is no version of web "canary" {known}', verb, "web", "canary")

    def test_a_version_with_users(self):
        for verb in ("stop", "drain"):
            self.refused(self.shared, 3, "v1 is the stable version of web, whose users would get errors; "
                         f"to {verb} it anyway: grayctl {verb} web v1 --yes", verb, "web", "v1")
            self.refused(self.shared, 3, "v2 takes 5% of the users of web; send them to v1 first: grayctl shift web v2 "
                         f"0; or to {verb} it anyway: grayctl {verb} web v2 --yes", verb, "web", "v2")

    def test_a_state_that_is_already_reached(self):
        self.refused(self.shared, 3, "web v1 is already running; to replace its workers: grayctl restart web v1",
                     "start", "web", "v1")
        self.ok(self.shared, "stop", "web", "v3")
        for verb in ("stop", "drain"):
            self.refused(self.shared, 3, "web v3 is stopped already; start it: grayctl start web v3",
                         verb, "web", "v3")
        self.refused(self.shared, 3, "web v3 is stopped; start it: grayctl start web v3", "restart", "web", "v3")

    def test_a_failed_version(self):
        self.refused(self.shared, 3, "web v4 has failed; start it: grayctl start web v4", "restart", "web", "v4")
        failed = self.shared.ctl("start", "web", "v4", timeout=LONGEST_WAIT)
        self.assertEqual(failed.code, 1)
        self.assertRegex(failed.err.splitlines()[-1], "web v4 has failed; .*no database.*; correct it, then: grayctl "
                                                      "start web v4")
        self.assertEqual(self.shared.ctl("status", "--wait").code, 1)

    def test_a_wrong_word(self):
        self.assertIn('unknown option "--yess", did you mean "--yes"?',
                      self.shared.ctl("stop", "web", "v1", "--yess").err)
        self.assertIn("grayctl stop needs SERVICE VERSION", self.shared.ctl("stop").err)


class Waiting(VerbTest):
    def starting(self):
        daemon = self.started(v2=slow_to_start(600_000, ready_timeout="900s"), up=("v1",))
        self.ok(daemon, "stop", "web", "v2")
        return daemon

    def test_timeout_ctrl_c_and_a_grayd_that_ends(self):
        daemon = self.starting()
        self.assertEqual(self.ok(daemon, "start", "web", "v2", "--no-wait").out,
                         "start of web v2 is in progress; see: grayctl status web\n")
        self.ok(daemon, "stop", "web", "v2")
        late = daemon.ctl("start", "web", "v2", "--timeout", "300ms")
        self.assertEqual(late.code, 5)
        self.assertIn("grayctl: starting web v2: 0 of 1 workers healthy after 300ms; it continues; see: grayctl status "
                      "web\n", late.err)
        self.ok(daemon, "stop", "web", "v2")
        waiting = self.in_background(daemon, "start", "web", "v2")
        self.assertEqual(waiting.stderr.readline(), "starting web v2: 0 of 1 workers healthy\n")
        waiting.send_signal(signal.SIGINT)
        self.assertEqual(self.ended(waiting), (130, "", "grayctl: no longer waiting for the start of web v2; it "
                                               "continues; see: grayctl status web\n"))
        waiting = self.in_background(daemon, "status", "--wait", "-o", "json")
        self.assertIn("waiting for web v2", waiting.stderr.readline())
        daemon.kill()
        code, out, err = self.ended(waiting)
        self.assertEqual(code, 7, err)
        self.assertEqual(json.loads(out)["exit_code"], 7)
        self.assertIn("lost the connection to grayd", err)

    def test_a_stop_ends_the_wait_for_a_start(self):
        daemon = self.starting()
        waiting = self.in_background(daemon, "start", "web", "v2")
        waiting.stderr.readline()
        self.ok(daemon, "stop", "web", "v2")
        code, _, err = self.ended(waiting)
        self.assertEqual((code, err), (3, "grayctl: web v2 was stopped meanwhile\n"))

    def on_a_terminal(self, daemon, answer, *args):
        master, slave = pty.openpty()
        process = subprocess.Popen([os.path.join(BUILD, "grayctl"), "--socket", daemon.admin, *args], stdin=slave,
                                   stdout=subprocess.PIPE, stderr=slave, env={**os.environ, "TERM": "xterm"})
        os.close(slave)
        os.write(master, answer)
        out, shown = process.communicate(timeout=LONGEST_WAIT)[0].decode(), b""
        try:
            while chunk := os.read(master, 4096):
                shown += chunk
        except OSError:
            pass
        os.close(master)
        return process.returncode, out, shown.decode()

    def test_on_a_terminal_there_is_a_question_and_a_progress_line(self):
        daemon = self.started()
        code, _, shown = self.on_a_terminal(daemon, b"n\n", "stop", "web", "v1")
        self.assertEqual(code, 3)
        self.assertIn("v1 is the stable version of web, whose users would get errors; stop it anyway? [y/N]",
                      shown)
        code, out, shown = self.on_a_terminal(daemon, b"y\n", "drain", "web", "v1")
        self.assertEqual((code, out), (0, "web v1 drained and stopped\n"))
        code, _, shown = self.on_a_terminal(daemon, b"", "start", "web", "v1")
        self.assertEqual(code, 0)
        self.assertIn("\r\x1b[K⠋ starting web v1: 0 of 1 workers healthy", shown)


class Instances(VerbTest):
    def test_the_number_of_instances_changes_under_load_without_a_failed_request(self):
        daemon = self.started(v1=quick(instances=2))
        daemon.wait_up(2, "v1")
        with Load(daemon) as load:
            for instances in (5, 1, 3):
                daemon.write_config(merged(daemon.config,
                                           {"service": {"web": {"version": {"v1": {"instances": instances}}}}}))
                self.assertIn("number of instances changed", self.ok(daemon, "reload").out)
                self.ok(daemon, "status", "--wait")
                eventually(lambda: len(daemon.version("v1")["workers"]) == instances, 60, f"{instances} workers")
                served = sum(load.served)
                eventually(lambda: sum(load.served) > served + 300 or load.failures, 60, "load")
        self.assertEqual(load.failures, [])


class Completion(VerbTest):
    def completed(self, daemon, *words):
        script = os.path.join(daemon.folder, "completion.bash")
        with open(script, "w") as file:
            file.write(self.ok(daemon, "completion", "bash").out)
        program = os.path.join(BUILD, "grayctl")
        done = subprocess.run(["bash", "-c", '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _grayctl; '
                               'printf "%s\\n" "${COMPREPLY[@]}"', script, program, *words], cwd=daemon.folder,
                              stdout=subprocess.PIPE, env={**os.environ, "GRAYCTL_SOCKET": daemon.admin}, check=True,
                              text=True)
        return done.stdout.split()

    def test_the_installed_shells_accept_their_scripts(self):
        for shell in filter(shutil.which, ("bash", "zsh", "fish")):
            script = run_program("grayctl", "completion", shell).out
            self.assertEqual(subprocess.run([shell, "-n"], input=script, text=True).returncode, 0, shell)

    def test_bash_completes_verbs_flags_and_names(self):
        daemon = self.started()
        self.assertEqual(self.completed(daemon, "sh"), ["shift"])
        self.assertEqual(self.completed(daemon, "stop", ""), ["web"])
        self.assertEqual(self.completed(daemon, "stop", "web", "v"), ["v1", "v2"])
        self.assertIn("--yes", self.completed(daemon, "stop", "web", "v1", "--"))
        daemon.stop()
        self.assertEqual(self.completed(daemon, "stop", ""), [])


if __name__ == "__main__":
    unittest.main()
