"""The history from outside: who changed what, when and why; and what grayd does when its file is damaged."""
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import threading

from harness import BUILD, SLOWER, GrayTest, eventually, faulty, merged, two_versions
from release_test import released
from users import Users

MEMBERS = {"id", "time", "service", "version", "what", "actor", "pid", "uid", "user", "reason", "before", "after",
           "revision", "verdict"}


class HistoryTest(GrayTest):
    def path(self, name="history.db"):
        return os.path.join(self.daemon.folder, "state", name)

    def entries(self, *args):
        return self.ok("history", "-o", "json", *args).json()["entries"]

    def whats(self, *args):
        return [entry["what"] for entry in self.entries(*args)]

    def wait_for(self, what, timeout=20):
        """The newest entry of a kind: the file is written behind the answer of a verb."""
        return eventually(lambda: next((entry for entry in reversed(self.entries()) if entry["what"] == what), None),
                          timeout, f"an entry {what}")

    def weights(self, entry, version):
        return tuple(entry[side]["weights"].get(version, 0) for side in ("before", "after"))

    def is_mine(self, entry):
        self.assertEqual((entry["uid"], entry["actor"]), (os.getuid(), f"pid {entry['pid']}, uid {os.getuid()}"))
        self.assertGreater(entry["pid"], 1)

    def events(self, kind):
        return [event for event in self.ok("events", "-o", "json").json()["events"] if event["kind"] == kind]

    def service(self):
        return self.daemon.status()["services"][0]


class Verbs(HistoryTest):
    def test_every_verb_leaves_an_entry_with_its_caller(self):
        self.daemon = self._prepared(released(), {})
        self._own.append(self.daemon)
        for name in ("42", "43"):
            os.makedirs(os.path.join(self.daemon.folder, "releases", name))
        self._started(self.daemon, ("v1",))
        for verb in (("deploy", "web", "42"), ("shift", "web", "42", "20"), ("shift", "web", "42", "0"),
                     ("restart", "web", "42"), ("drain", "web", "42"), ("start", "web", "42"),
                     ("stop", "web", "42"), ("start", "web", "42"), ("promote", "web", "42"), ("undo", "web"),
                     ("rollout", "start", "web", "42", "--steps", "20,100", "--hold", "1h")):
            self.ok(*verb)
        eventually(lambda: self.daemon.version("42")["weight"] == 20, 10, "the first step")
        for verb in (("rollout", "pause", "web"), ("rollout", "resume", "web"), ("rollout", "abort", "web"),
                     ("rollout", "retry", "web"), ("rollout", "abort", "web"), ("remove", "web", "42"),
                     ("upgrade", "router"), ("reload",)):
            self.ok(*verb)
        self.assertEqual(self.daemon.ctl("shift", "web", "v9", "20").code, 2)  # refused: no entry
        self.wait_for("reload")
        found = self.entries()
        self.assertEqual([entry["what"] for entry in found if entry["what"] != "rollout-step"],
                         ["grayd-started", "deploy", "shift", "shift", "restart", "drain", "start", "stop", "start",
                          "promote", "undo", "rollout-start", "rollout-pause", "rollout-resume", "rollout-abort",
                          "rollout-retry", "rollout-abort", "remove", "upgrade", "upgraded", "reload"])
        for entry in found:
            self.assertEqual(set(entry), MEMBERS)
            if entry["what"] in ("grayd-started", "upgraded", "rollout-step"):
                self.assertEqual((entry["actor"], entry["uid"]), ("grayd", None))
            else:
                self.is_mine(entry)
        by_id = [entry["id"] for entry in found]
        self.assertEqual(by_id, sorted(set(by_id)))
        shifts = [entry for entry in found if entry["what"] == "shift"]
        self.assertEqual([self.weights(entry, "42") for entry in shifts], [(0, 20), (20, 0)])
        self.assertLess(shifts[0]["revision"], shifts[1]["revision"])
        promote, undo = (next(entry for entry in found if entry["what"] == what) for what in ("promote", "undo"))
        self.assertEqual((promote["before"]["stable"], promote["after"]["stable"]), ("v1", "42"))
        self.assertEqual((undo["before"]["stable"], undo["after"]["stable"]), ("42", "v1"))
        step = next(entry for entry in found if entry["what"] == "rollout-step")
        self.assertIn("step 1 of 2, 20% of the users", step["reason"])

    def test_reloads_by_a_signal_and_refused_ones_are_entries(self):
        self.daemon = self.start()
        self.daemon.process.send_signal(signal.SIGHUP)
        self.assertEqual(self.wait_for("reload")["actor"], "signal SIGHUP")
        with open(self.daemon.config_file, "a") as file:
            file.write("nonsense = 1\n")
        self.assertEqual(self.daemon.ctl("reload").code, 8)
        refused = self.wait_for("reload-refused")
        self.is_mine(refused)
        self.assertIn("nonsense", refused["reason"])

    def test_an_abort_by_the_judge_has_its_figures(self):
        self.daemon = self.start(two_versions(version={"v1": {"command": faulty()},
                                                       "v2": {"command": faulty("--error-rate", "0.2")}}))
        with Users(self.daemon.port):
            self.ok("rollout", "start", "web", "v2", "--steps", "10,100", "--hold", "1m")
            self.assertEqual(self.daemon.ctl("rollout", "status", "web", "--wait", "--timeout", "60s",
                                             timeout=70).code, 6)
        entry = self.wait_for("rollout-abort")
        self.assertEqual((entry["actor"], entry["version"]), ("grayd", "v2"))
        self.assertEqual(self.weights(entry, "v2"), (10, 0))
        verdict = entry["verdict"]
        self.assertEqual((verdict["result"], verdict["metric"]), ("fail", "errors"))
        self.assertEqual(entry["reason"], verdict["text"])
        for side in ("stable", "canary"):
            self.assertEqual(set(verdict[side]), {"requests", "users", "failed", "error_ratio", "p50_ms", "p99_ms"})
        self.assertGreater(verdict["canary"]["failed"], 0)
        self.assertGreater(verdict["canary"]["error_ratio"], 0.05)
        shown = self.ok("history", str(entry["id"])).out
        self.assertIn("verdict: fail", shown)
        self.assertIn("v1 90%, v2 10% → v1 100%", shown)


class Grayctl(HistoryTest):
    def test_filters_output_and_wrong_words(self):
        self.daemon = self.start()
        for percent in ("10", "20", "30"):
            self.ok("shift", "web", "v2", percent)
        eventually(lambda: self.whats().count("shift") == 3, 10, "three shifts")
        self.assertEqual(self.whats("web", "v2", "--limit", "2"), ["shift", "shift"])
        self.assertEqual(self.whats("web", "--version", "v1"), [])
        self.assertEqual(len(self.entries("--since", "1h")), 4)
        self.assertEqual(self.entries("--since", "2099-01-01"), [])
        body = self.ok("history", "-o", "json").json()
        self.assertEqual((body["schema_version"], body["last"]), (1, body["entries"][-1]["id"]))
        lines = self.ok("history", "web").out.splitlines()
        self.assertRegex(lines[0], r"^TIME \(UTC\) +ID +SERVICE +VERSION +WHAT +WEIGHT +WHO +WHY$")
        self.assertRegex(lines[-1], r" web +v2 +shift +20 → 30% ")
        self.assertTrue(all(len(line) <= 80 for line in lines), lines)
        self.assertIn("did you mean \"web\"", self.daemon.ctl("history", "wbe").err)
        self.assertEqual(self.daemon.ctl("history", "999").code, 1)
        self.assertEqual(self.daemon.ctl("history", "--limit", "0").code, 2)
        self.assertEqual(self.daemon.ctl("history", "--since", "yesterday").code, 2)

    def test_following_shows_new_changes(self):
        self.daemon = self.start()
        program = [os.path.join(BUILD, "grayctl"), "--socket", self.daemon.admin, "history", "-f", "-o", "json"]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as following:
            self.addCleanup(following.kill)
            self.assertEqual(json.loads(following.stdout.readline())["what"], "grayd-started")
            self.ok("shift", "web", "v2", "10")
            self.assertEqual(json.loads(following.stdout.readline())["what"], "shift")
            self.daemon.stop()
            self.assertNotEqual(following.wait(30 * SLOWER), 0)

    def test_without_grayd_the_file_is_read(self):
        self.daemon = self.start()
        self.ok("shift", "web", "v2", "10")
        self.wait_for("shift")
        self.daemon.kill()
        self.assertEqual(self.daemon.ctl("history").code, 7)
        self.assertEqual(self.whats("--state-dir", "state"), ["grayd-started", "shift"])
        missing = self.daemon.ctl("history", "--state-dir", "elsewhere")
        self.assertEqual(missing.code, 1)
        self.assertIn("there is no history in elsewhere", missing.err)


class Lives(HistoryTest):
    def test_a_killed_grayd_loses_no_entry_and_the_next_one_goes_on(self):
        self.daemon = self.start()
        for percent in range(1, 11):
            self.ok("shift", "web", "v2", str(percent), "--yes")
        eventually(lambda: self.whats().count("shift") == 10, 10, "ten shifts")
        self.daemon.kill()
        self.daemon.launch().wait_up(1, "v1", "v2")
        self.ok("shift", "web", "v2", "50")
        eventually(lambda: self.whats().count("shift") == 11, 10, "eleven shifts")
        found = self.entries()
        self.assertEqual([entry["what"] for entry in found], ["grayd-started"] + 10 * ["shift"] +
                         ["grayd-started", "shift"])
        self.assertEqual(self.weights(found[-1], "v2"), (10, 50))
        revisions = [entry["revision"] for entry in found if entry["revision"]]
        self.assertEqual(revisions, sorted(set(revisions)))

    def test_an_upgrade_of_grayd_loses_none_and_repeats_none(self):
        self.daemon = self.start()
        for percent in (10, 20, 30):
            self.ok("shift", "web", "v2", str(percent))
            self.ok("upgrade", timeout=60)
        self.wait_for("upgraded")
        eventually(lambda: self.whats().count("upgraded") == 3, 10, "three upgrades")
        self.assertEqual(self.whats(), ["grayd-started"] + 3 * ["shift", "upgrade", "upgraded"])

    def test_the_file_is_private_and_of_wal_mode(self):
        self.daemon = self.start()
        self.wait_for("grayd-started")
        self.assertEqual(os.stat(self.path()).st_mode & 0o777, 0o600)
        with contextlib.closing(sqlite3.connect(f"file:{self.path()}?mode=ro", uri=True)) as database:
            self.assertEqual(database.execute("PRAGMA journal_mode").fetchone()[0], "wal")
            self.assertEqual(database.execute("PRAGMA user_version").fetchone()[0], 1)


class Damaged(HistoryTest):
    def restart_with(self, damage):
        """A grayd with 20% of v2 is stopped, its file damaged, and it is started again."""
        self.daemon = self.start()
        self.ok("shift", "web", "v2", "20")
        self.wait_for("shift")
        self.assertEqual(self.daemon.stop(), 0)
        damage()
        self.daemon.launch().wait_up(1, "v1", "v2")
        self.assertEqual(self.daemon.version("v2")["weight"], 20)  # the state file goes on

    def check_begun_anew(self, why):
        event = eventually(lambda: self.events("history-failed"), 10, "the event")[0]
        self.assertEqual(event["cause"], "damaged")
        self.assertIn(f"moved to {os.path.realpath(self.path('history.db.damaged'))}", event["text"])
        self.assertIn(why, event["text"])
        self.assertIn(event["text"], self.daemon.log())
        self.assertTrue(os.path.exists(self.path("history.db.damaged")))
        self.ok("shift", "web", "v2", "30")
        self.wait_for("shift")
        self.assertEqual(self.whats(), ["grayd-started", "shift"])

    def test_garbage(self):
        def damage():
            with open(self.path(), "wb") as file:
                file.write(os.urandom(20_000))
        self.restart_with(damage)
        self.check_begun_anew("file is not a database")

    def test_truncated(self):
        def damage():
            with contextlib.closing(sqlite3.connect(self.path())) as database, database:
                for number in range(500):
                    database.execute("INSERT INTO changes (time, ordinal, service, version, what, actor, reason) "
                                     "VALUES (1, ?, '', '', 'x', '', ?)", (1_000 + number, "y" * 200))
            os.truncate(self.path(), os.path.getsize(self.path()) // 2)
        self.restart_with(damage)
        self.check_begun_anew("")

    def test_newer_schema(self):
        def damage():
            with contextlib.closing(sqlite3.connect(self.path())) as database:
                database.execute("PRAGMA user_version = 9")
        self.restart_with(damage)
        self.check_begun_anew("it has schema 9, but this grayd supports 1")

    def test_a_folder_in_its_place(self):
        def damage():
            for name in os.listdir(self.path("")):
                if name.startswith("history.db"):
                    os.remove(self.path(name))
            os.mkdir(self.path())
        self.restart_with(damage)
        self.check_begun_anew("unable to open database file")

    def test_a_history_that_cannot_be_written_at_all_is_reported_and_grayd_serves(self):
        def damage():
            for name in os.listdir(self.path("")):
                if name.startswith("history.db"):
                    os.remove(self.path(name))
            os.mkdir(self.path())
            for number in ["", *(f".{number}" for number in range(2, 10))]:
                os.makedirs(self.path(f"history.db.damaged{number}/kept"))
        self.restart_with(damage)
        event = eventually(lambda: self.events("history-failed"), 10, "the event")[0]
        self.assertEqual(event["cause"], "disk")
        self.assertIn("grayd goes on without", event["text"])
        self.ok("shift", "web", "v2", "0")
        self.assertEqual(self.daemon.version("v2")["weight"], 0)
        self.assertEqual(self.daemon.ctl("history").code, 1)
        os.rmdir(self.path())  # it begins as soon as it can
        eventually(lambda: self.whats() == ["grayd-started", "shift"], 20, "the entries that waited")

    def test_a_locked_history_delays_nothing(self):
        self.daemon = self.start()
        self.wait_for("grayd-started")
        database = sqlite3.connect(self.path())
        database.execute("BEGIN EXCLUSIVE")
        for percent in ("20", "0"):
            self.ok("shift", "web", "v2", percent, timeout=5)
        eventually(lambda: self.events("history-failed"), 20, "the event")
        database.rollback()
        database.close()
        eventually(lambda: self.whats() == ["grayd-started", "shift", "shift"], 20, "the entries that waited")


class FullDisk(HistoryTest):
    def test_a_full_disk_delays_nothing_and_the_entries_come_later(self):
        self.daemon = self._prepared(None, {})
        self._own.append(self.daemon)
        os.mkdir(self.path(""))
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "none", self.path("")]
        if subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("a small file system needs mount")
        self.addCleanup(subprocess.run, ["umount", "-l", self.path("")])
        self._started(self.daemon, ("v1", "v2"))
        self.ok("shift", "web", "v2", "20")
        self.wait_for("shift")
        filler = self.path("filler")
        with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(512))
        lowered = self.daemon.ctl("shift", "web", "v2", "0", timeout=5)  # applied although nothing can be saved
        self.assertEqual(lowered.code, 1)
        self.assertIn("the routers have applied it, but cannot write", lowered.err)
        self.assertEqual(self.daemon.version("v2")["weight"], 0)
        event = eventually(lambda: self.events("history-failed"), 20, "the event")[0]
        self.assertEqual(event["cause"], "disk")
        self.assertIn("disk is full", event["text"])
        os.remove(filler)
        eventually(lambda: self.whats().count("shift") == 2, 20, "the entry that waited")
        found = [entry for entry in self.entries() if entry["what"] == "shift"]
        self.assertEqual([self.weights(entry, "v2") for entry in found], [(0, 20), (20, 0)])
        self.assertIsNone(found[1]["revision"])


class TwoAtOnce(HistoryTest):
    def at_once(self, *commands):
        results = [None] * len(commands)
        ready = threading.Barrier(len(commands))

        def run(index):
            ready.wait()
            results[index] = self.daemon.ctl(*commands[index], timeout=60)
        threads = [threading.Thread(target=run, args=(index,)) for index in range(len(commands))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return results

    NAMED = rf".*pid \d+, uid {os.getuid()}"

    def check_loser(self, result, what):
        self.assertEqual(result.code, 3, result)
        self.assertRegex(result.err, what)

    def test_two_shifts(self):
        """Each is carried out, one after the other, or the overtaken one says what overtook it."""
        self.daemon = self.start()
        for turn in range(10):
            low, high = 10 + turn, 60 + turn
            results = self.at_once(("shift", "web", "v2", str(low)), ("shift", "web", "v2", str(high)))
            self.assertIn(0, [result.code for result in results], results)
            for result in results:
                if result.code != 0:
                    self.check_loser(result, "a later change of web was applied first: shift web v2 to" + self.NAMED)
            self.assertIn(self.daemon.version("v2")["weight"], (low, high))

    def test_two_rollouts_promotions_and_deploys(self):
        self.daemon = self._prepared(merged(released(), {"version": {"v2": {"command": faulty()}}}), {})
        self._own.append(self.daemon)
        os.makedirs(os.path.join(self.daemon.folder, "releases", "42"))
        self._started(self.daemon, ("v1", "v2"))
        start = ("rollout", "start", "web", "v2", "--steps", "10,100", "--hold", "1h")
        deployed = "42" + self.NAMED + "|web 42 exists already"  # at the same time, or a moment later
        for command, what in ((start, "a rollout of web v2 is" + self.NAMED), (("deploy", "web", "42"), deployed)):
            results = self.at_once(command, command)
            self.assertEqual(sorted(result.code for result in results), [0, 3], results)
            self.check_loser(next(result for result in results if result.code == 3), what)
        self.ok("rollout", "abort", "web")
        results = self.at_once(("promote", "web", "42"), ("promote", "web", "42"))
        self.assertEqual(sorted(result.code for result in results), [0, 3], results)
        self.check_loser(next(result for result in results if result.code == 3), "promot" + self.NAMED)
        self.assertEqual(self.service()["stable"], "42")
