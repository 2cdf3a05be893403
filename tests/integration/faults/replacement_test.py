"""Rows 19 and 20: whatever fault the new program of an upgrade has, grayd continues; processes that die meanwhile are
reaped by the grayd that then runs."""
import os
import re
import signal
import stat

from harness import BUILD, SLOWER, GrayTest, children_of, command_line, eventually, fake, faulty, two_versions
from faults.matrix import Clients, lives, stat_of

GRAYD = os.path.join(BUILD, "grayd")


def quick(**changes):
    return two_versions(version={"v1": {"command": faulty(), "ready": ["pipe"], **changes}, "v2": {"command": fake()}})


def numbers():
    """The format numbers of a compatible grayd."""
    return os.popen(f"{GRAYD} check-handoff").read().strip()


class ReplacementTest(GrayTest):
    def start_quick(self, **changes):
        self.daemon = self.start(quick(**changes))
        self.pid = self.daemon.process.pid
        self.clients = Clients(self.daemon)
        self.addCleanup(self.clients.stop)
        return self.daemon

    def program(self, script, name="next"):
        """An executable file with this shell script, in which $REAL is grayd."""
        path = os.path.join(self.daemon.folder, name)
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\nREAL={GRAYD}\n{script}\n")
        os.chmod(path, 0o755)
        return path

    def when_resumed(self, script, name="next"):
        """A grayd that does this after the exec, before it reads anything."""
        return self.program(f'case "$*" in *resume*) {script};; esac\nexec $REAL "$@"', name)

    def family(self):
        return sorted(pid for pid in children_of(self.pid) if lives(pid))

    def upgrade(self, *words, timeout=60):
        return self.daemon.ctl("upgrade", *words, timeout=timeout)

    def assert_refused(self, result, code, *words):
        self.assertEqual(result.code, code, result)
        last = result.err.strip().split("\n")[-1]
        for word in words:
            self.assertIn(word, last)
        self.assertIn("grayd continues as before", last)
        return last

    def assert_goes_on(self, family):
        """Same process, same children, every request served, and all functions still work."""
        self.assertEqual(self.daemon.process.pid, self.pid)
        self.assertIsNone(self.daemon.process.poll())
        self.assertEqual(self.family(), family)
        self.assertEqual(self.clients.failures, [])
        self.assertEqual(self.daemon.ctl("shift", "web", "v2", "5").code, 0)
        self.assertEqual(self.daemon.ctl("reload").code, 0)
        served = self.clients.served
        eventually(lambda: self.clients.served > served, 10, "further answers")


class BadPrograms(ReplacementTest):
    def test_fault_19_programs_that_are_refused_before_the_exec(self):
        daemon = self.start_quick()
        family = self.family()
        plain = self.program("", "plain")
        os.chmod(plain, 0o644)
        noise = self.program("", "noise")
        with open(noise, "wb") as file:
            file.write(b"\x7fELF nonsense")
        os.chmod(noise, os.stat(noise).st_mode | stat.S_IXUSR)
        other = re.sub(r'"handoff":\d+', '"handoff":999', numbers())
        for binary, why in {
                os.path.join(daemon.folder, "none"): "No such file or directory",
                daemon.folder: "it is a folder",
                plain: "it is not executable",
                noise: "it cannot be executed: Exec format error",
                self.program("echo sorry; exit 1", "exits"): "exit 1: sorry",
                self.program("exit 0", "silent"): "so it is not grayd, or it is an old grayd",
                "/bin/true": "so it is not grayd, or it is an old grayd",
                self.program(f"echo '{other}'", "newer"): "it uses version 999 of the handed-over state",
                self.program(f'test "$1" = check-handoff && echo \'{numbers()}\' && exit 0; echo "line 7: no"; exit 8',
                             "choosy"): f"it refuses {daemon.config_file}: exit 8: line 7: no",
                self.program("kill -SEGV $$", "crashes"): "signal 11",
        }.items():
            with self.subTest(binary=binary):
                last = self.assert_refused(self.upgrade("--binary", binary), 1, why, binary)
                self.assertRegex(last, "checking the (program|configuration)")
        self.assert_goes_on(family)
        events = daemon.ctl("events", "-n", "200").out
        self.assertEqual(events.count("upgrade-failed"), 10, events)

    def test_fault_19_a_program_that_hangs_is_ended_with_all_it_started(self):
        self.start_quick()
        family = self.family()
        hangs = self.program("sleep 1000 & sleep 1000")
        self.assert_refused(self.upgrade("--binary", hangs, "--timeout", "1s"), 5, "it gave no answer within 1s", hangs)
        self.assert_goes_on(family)
        self.assertEqual([pid for pid in self.daemon.leftovers() if "1000" in command_line(pid)], [])

    def test_fault_19_a_state_that_cannot_be_read_leads_back(self):
        """After the exec: the new program has taken over everything, and gives it back."""
        self.start_quick()
        family = self.family()
        refusing = os.path.join(BUILD, "tests", "refusing_grayd")
        for how, why in {"": "refused at the last moment", "crash": "it crashed", "abort": "it aborted",
                         "stand": "it did not read the state within 30 s"}.items():
            with self.subTest(how=how):
                program = self.program(f'GRAY_REFUSING={how} exec {refusing} "$@"')
                self.assert_refused(self.upgrade("--binary", program), 1, "loading the state", why)
                self.assert_goes_on(family)
                self.assertEqual(os.readlink(f"/proc/{self.pid}/exe"), GRAYD)
        self.assertEqual(self.upgrade().code, 0)
        self.assert_goes_on(family)

    def test_fault_19_a_program_that_passes_and_then_ends_is_the_end_of_grayd(self):
        """No program is left that could go back. The router ends the other processes, so a new start is clean."""
        daemon = self.start_quick()
        program = self.program('case "$*" in *resume*) exit 9;; esac\nexec $REAL "$@"')
        result = self.upgrade("--binary", program)
        self.assertEqual(result.code, 7, result)
        self.assertEqual(daemon.process.wait(10 * SLOWER), 9)
        self.clients.stop()
        eventually(lambda: not daemon.leftovers(), 5, "the end of everything")
        daemon.launch().wait_up(1, "v1", "v2").wait_answers()

    def test_fault_19_a_configuration_that_is_bad_or_not_in_force(self):
        daemon = self.start_quick()
        family = self.family()
        good = daemon.config
        with open(daemon.config_file, "a") as file:
            file.write("nonsense = [\n")
        self.assert_refused(self.upgrade(), 1, "checking the configuration", f"it refuses {daemon.config_file}")
        daemon.write_config({**good, "service": {"web": quick(instances=2)}})
        self.assert_refused(self.upgrade(), 1, "checking the configuration", "grayctl reload")
        self.assertEqual(daemon.ctl("reload").code, 0)
        eventually(lambda: len(daemon.pids("v1")) == 2, 20, "the second worker")
        self.assertEqual(self.upgrade().code, 0)
        self.assertEqual(len(self.family()), len(family) + 1)

    def test_fault_19_another_upgrade_and_other_changes_meanwhile_conflict(self):
        daemon = self.start_quick()
        family = self.family()
        gate = os.path.join(daemon.folder, "gate")
        os.mkfifo(gate)
        program = self.program(f'test "$1" = check-handoff && read line < {gate}\nexec $REAL "$@"')
        self.assertEqual(self.upgrade("--binary", program, "--no-wait").code, 0)
        for words in (["upgrade"], ["upgrade", "router"], ["shift", "web", "v2", "5"], ["reload"],
                      ["restart", "web", "v1"], ["drain", "web", "v2"], ["stop", "web", "v2"], ["start", "web", "v2"]):
            with self.subTest(words=words):
                result = daemon.ctl(*words)
                self.assertEqual(result.code, 3, result)
                self.assertIn(f"upgrade 1 of grayd is under way (checking the program {program})", result.err)
        for words in (["status"], ["health"], ["events"], ["logs"], ["metrics"]):
            self.assertEqual(daemon.ctl(*words).code, 0, words)
        daemon.process.send_signal(signal.SIGHUP)
        eventually(lambda: "reload-refused" in daemon.ctl("events").out, 10, "the refusal of the signal's reload")
        with open(gate, "w") as file:
            file.write("go\n")
        eventually(lambda: daemon.status()["upgrades"][-1]["state"] == "done", 20, "the end of the upgrade")
        self.assert_goes_on(family)


class Meanwhile(ReplacementTest):
    def test_fault_20_a_worker_that_is_killed_during_the_exec_is_reaped_after_it_and_restarted_once(self):
        daemon = self.start_quick(instances=2)
        victim, other = daemon.pids("v1")
        router = daemon.router()
        result = self.upgrade("--binary", self.when_resumed(f"kill -9 {victim}"))
        self.assertEqual(result.code, 0, result)
        eventually(lambda: len(daemon.pids("v1")) == 2, 20, "the worker's successor")
        self.assertIsNone(stat_of(victim))
        self.assertIn(other, daemon.pids("v1"))
        self.assertEqual(daemon.router(), router)
        exits = [event for event in daemon.ctl("events", "-n", "500", "-o", "json").json()["events"]
                 if event["kind"] == "worker-exited"]
        self.assertEqual([(event["pid"], event["cause"]) for event in exits], [(victim, "signal 9")])
        self.assertEqual(sum(worker["restarts"] for worker in daemon.version("v1")["workers"]), 1)
        self.clients.stop()
        lost = [failure for failure in self.clients.failures if not getattr(failure, "status", 0) == 502]
        self.assertEqual(lost, [])  # a request that the dead worker had begun is its own

    def test_fault_20_a_worker_that_is_killed_during_the_check(self):
        daemon = self.start_quick(instances=2)
        victim = daemon.pids("v1")[0]
        program = self.program(f'test "$1" = check-handoff && kill -9 {victim}\nexec $REAL "$@"')
        self.assertEqual(self.upgrade("--binary", program).code, 0)
        eventually(lambda: len(daemon.pids("v1")) == 2, 20, "the worker's successor")
        self.assertIsNone(stat_of(victim))
        self.assertEqual(sum(worker["restarts"] for worker in daemon.version("v1")["workers"]), 1)

    def test_a_router_that_is_killed_during_the_exec_is_replaced(self):
        daemon = self.start_quick()
        workers = daemon.pids("v1") + daemon.pids("v2")
        old = daemon.router()
        self.clients.stop()
        self.assertEqual(self.upgrade("--binary", self.when_resumed(f"kill -9 {old}")).code, 0)
        daemon.wait_answers()
        self.assertIsNone(stat_of(old))
        self.assertNotEqual(daemon.router(), old)
        self.assertEqual(daemon.pids("v1") + daemon.pids("v2"), workers)

    def test_a_sigterm_during_the_exec_ends_grayd_in_order_after_it(self):
        daemon = self.start_quick()
        self.clients.stop()
        result = self.upgrade("--binary", self.when_resumed("kill -TERM $$"), "--no-wait")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(daemon.process.wait(30 * SLOWER), 0)
        self.assertEqual(daemon.leftovers(), [])
        self.assertFalse(os.path.exists(daemon.admin))
        self.assertIn("stopped", daemon.log())

    def test_a_sigterm_during_the_check_ends_grayd_without_it(self):
        daemon = self.start_quick()
        self.clients.stop()
        program = self.program(f'test "$1" = check-handoff && kill -TERM {self.pid} && sleep 1000\nexec $REAL "$@"')
        self.assertEqual(self.upgrade("--binary", program, "--no-wait").code, 0)
        self.assertEqual(daemon.process.wait(30 * SLOWER), 0)
        self.assertEqual(daemon.leftovers(), [])
        self.assertIn("a stop was requested meanwhile", daemon.log())
